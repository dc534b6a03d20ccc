package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLSConfig is what can be said of TLS in a configuration file. Files are read when
// the first connection to a host is opened and again whenever the host's
// connections are renewed (max_conn_age), so that renewed certificates are
// picked up. A file that can't be used fails the connection, not New.
type TLSConfig struct {
	// MinVersion is the lowest version accepted: "1.2" or "1.3". Default "1.2", which
	// is Go's own: 1.0 and 1.1 are deprecated (RFC 8996).
	MinVersion string `yaml:"min_version"`

	// RootFiles are PEM files with certificates of authorities that are trusted. Default
	// none.
	RootFiles []string `yaml:"root_files"`

	// SystemRoots trusts the system's authorities too. Default true; it must be so
	// without root_files.
	SystemRoots bool `yaml:"system_roots"`

	// CertFile and KeyFile are PEM files with the client's certificate, followed by its
	// chain, and its key. Default "": no client certificate.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`

	// ServerName is the name that certificates must be for, and that is sent (SNI).
	// Default "": the host's.
	ServerName string `yaml:"server_name"`
}

// DefaultTLSConfig returns the settings that suit most applications.
func DefaultTLSConfig() TLSConfig { return TLSConfig{MinVersion: "1.2", SystemRoots: true} }

var tlsVersions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// Validate reports everything that is wrong with the configuration. Keys are
// named as they stand in a [Config]. No file is read.
func (c TLSConfig) Validate() error {
	var errs []error
	if tlsVersions[c.MinVersion] == 0 {
		errs = append(errs, &ConfigError{"tls.min_version", fmt.Sprintf("%q: must be \"1.2\" or \"1.3\"", c.MinVersion)})
	}
	if !c.SystemRoots && len(c.RootFiles) == 0 {
		errs = append(errs, &ConfigError{"tls.system_roots", "false: must be true unless root_files names some, or nobody is trusted"})
	}
	for i, f := range c.RootFiles {
		if f == "" {
			errs = append(errs, &ConfigError{fmt.Sprintf("tls.root_files[%d]", i), "\"\": must be a file's name"})
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		name := "tls.key_file"
		if c.CertFile == "" {
			name = "tls.cert_file"
		}
		errs = append(errs, &ConfigError{name, "\"\": a client certificate must have both cert_file and key_file"})
	}
	return errors.Join(errs...)
}

// tlsSource makes the TLS configuration of a lane.
type tlsSource struct {
	files TLSConfig
	base  *tls.Config
}

func newTLSSource(cfg Config, base *tls.Config) *tlsSource {
	base = base.Clone()
	if base.ClientSessionCache == nil && cfg.TLSSessionCache > 0 {
		base.ClientSessionCache = tls.NewLRUClientSessionCache(cfg.TLSSessionCache)
	}
	base.MinVersion = max(base.MinVersion, tlsVersions[cfg.TLS.MinVersion])
	if base.ServerName == "" {
		base.ServerName = cfg.TLS.ServerName
	}
	return &tlsSource{files: cfg.TLS, base: base}
}

// config reads the files.
func (s *tlsSource) config() (*tls.Config, error) {
	cfg := s.base.Clone()
	if len(s.files.RootFiles) > 0 {
		roots, err := s.roots(cfg.RootCAs)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = roots
	}
	if s.files.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(s.files.CertFile, s.files.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert_file, tls.key_file: %w", err)
		}
		cfg.Certificates = append(cfg.Certificates[:len(cfg.Certificates):len(cfg.Certificates)], pair)
	}
	return cfg, nil
}

// roots adds the files' certificates to those that are trusted already.
func (s *tlsSource) roots(given *x509.CertPool) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	switch {
	case given != nil:
		pool = given.Clone()
	case s.files.SystemRoots:
		system, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("tls.system_roots: %w", err)
		}
		pool = system
	}
	for _, name := range s.files.RootFiles {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("tls.root_files: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.root_files: %s: no certificate in PEM form", name)
		}
	}
	return pool, nil
}
