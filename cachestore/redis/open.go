package redis

import (
	"crypto/tls"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/headgate-go/headgate/middleware"
)

// ServerConfig is the settings of a [Store] that makes its client itself, as a configuration file describes it.
type ServerConfig struct {
	// Addresses are host:port of the server; of some nodes of a cluster, if it is more than one; of the Sentinels, if
	// master_name is set. It has no default.
	Addresses []string `yaml:"addresses"`
	// MasterName is the name by which Sentinels know the server. Default: no Sentinels.
	MasterName string `yaml:"master_name"`
	// Username and Password log in. Default: not at all. Write ${env:REDIS_PASSWORD}, not the password.
	Username string `yaml:"username"`
	Password string `yaml:"password" headgate:"secret"`
	// Database is the number of the database; a cluster has 0 alone. Default 0.
	Database int `yaml:"database"`
	// TLS encrypts the connections. Default false.
	TLS bool `yaml:"tls"`
	// PoolSize bounds the connections to each server. Default 16.
	PoolSize int `yaml:"pool_size"`
	// Config is prefix, timeout and max_entry_bytes.
	Config `yaml:",inline"`
}

// DefaultServerConfig is DefaultConfig with at most 16 connections, to no server yet.
func DefaultServerConfig() ServerConfig {
	return ServerConfig{PoolSize: 16, Config: DefaultConfig()}
}

// Validate reports everything that is wrong.
func (c ServerConfig) Validate() error {
	var p middleware.Problems
	p.Check(len(c.Addresses) > 0, "addresses", "it is empty; write for example [localhost:6379]")
	for _, a := range c.Addresses {
		p.Check(isAddress(a), "addresses", "%q is no address; write host:port, such as localhost:6379", a)
	}
	p.Check(c.Database >= 0, "database", "%d is negative; 0 is the first", c.Database)
	p.Check(c.Database == 0 || !c.cluster(), "database", "%d: a cluster has the database 0 alone", c.Database)
	p.Check(c.PoolSize > 0, "pool_size", "%d is too small; write for example 16", c.PoolSize)
	c.Config.check(&p)
	return p.Err()
}

func (c ServerConfig) cluster() bool { return len(c.Addresses) > 1 && c.MasterName == "" }

// Open returns a store with a client of its own, which Stop closes. It does no I/O: the first operation connects.
//
// It is what a configuration needs to know stores of the type redis:
//
//	registry, err := pipeline.NewRegistry(pipeline.DefineStore(redis.Type, redis.DefaultServerConfig, redis.Open))
func Open(cfg ServerConfig) (*Store, error) {
	if err := middleware.Validate(Type, cfg); err != nil {
		return nil, err
	}
	options := &redis.UniversalOptions{
		Addrs: cfg.Addresses, MasterName: cfg.MasterName, DB: cfg.Database,
		Username: cfg.Username, Password: cfg.Password,
		PoolSize: cfg.PoolSize, ContextTimeoutEnabled: true,
		DialTimeout: cfg.Timeout, ReadTimeout: cfg.Timeout, WriteTimeout: cfg.Timeout, PoolTimeout: cfg.Timeout,
		MaxRetries: 1, DialerRetries: 1, // for a connection that the server has closed meanwhile
	}
	if cfg.TLS {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	s, err := New(redis.NewUniversalClient(options), cfg.Config)
	if err != nil {
		return nil, err
	}
	s.owned = true
	return s, nil
}

func isAddress(a string) bool {
	_, port, err := net.SplitHostPort(a)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
