package httpcache

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 9111, section 2, and RFC 3986, section 6.2: equivalent URIs have one key.
func TestRFC3986_6_URLKey(t *testing.T) {
	const plain = "http://a.example.com/x"
	for name, test := range map[string]struct {
		url  string
		same bool
	}{
		"itself":                     {plain, true},
		"the scheme's case":          {"HTTP://a.example.com/x", true},
		"the host's case":            {"http://A.Example.COM/x", true},
		"the default port":           {"http://a.example.com:80/x", true},
		"an empty port":              {"http://a.example.com:/x", true},
		"a fragment":                 {"http://a.example.com/x#y", true},
		"another port":               {"http://a.example.com:81/x", false},
		"another scheme":             {"https://a.example.com/x", false},
		"another host":               {"http://b.example.com/x", false},
		"another path":               {"http://a.example.com/y", false},
		"the path's case":            {"http://a.example.com/X", false},
		"a trailing slash":           {"http://a.example.com/x/", false},
		"a query":                    {"http://a.example.com/x?y", false},
		"an empty query":             {"http://a.example.com/x?", false},
		"an escaped slash":           {"http://a.example.com/%2fx", false},
		"a query in the path":        {"http://a.example.com/x%3Fy", false},
		"userinfo is in a partition": {"http://u:p@a.example.com/x", true},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(test.url)
			require.NoError(t, err)
			got := string(appendURL(nil, &http.Request{URL: u}))
			require.Equal(t, test.same, got == plain, got)
		})
	}
	u, _ := url.Parse("http://a.example.com")
	require.Equal(t, "http://a.example.com/", string(appendURL(nil, &http.Request{URL: u})), "an empty path is /")
}

// No two requests that differ in how their parts are cut have one key.
func TestPartsDoNotRunTogether(t *testing.T) {
	key := func(contentType, body string, accept ...string) string {
		req := &http.Request{Method: "POST", URL: &url.URL{Scheme: "http", Host: "a"}, Header: http.Header{"Content-Type": {contentType}}}
		if accept != nil {
			req.Header["Accept"] = accept
		}
		return contentKey(req, "http://a/", nil, []string{"Accept"}, []byte(body))
	}
	seen := map[string]bool{}
	for _, k := range []string{
		key("a", "b"), key("ab", ""), key("", "ab"), key("a", "b", ""), key("a", "b", "c"), key("a", "b", "c", ""),
		key("a", "bc"), key("a", "b", "c", "d"), key("a", "b", "cd"), key("a", "b", "c, d"),
	} {
		require.False(t, seen[k])
		seen[k] = true
	}
	require.Equal(t, key("a", "b", "c"), key("a", "b", "c"))
}

func TestPartition(t *testing.T) {
	req := &http.Request{URL: &url.URL{Scheme: "http", Host: "a"}, Host: "a", Header: http.Header{"X-Api-Key": {"secret"}}}
	require.Nil(t, partition(req, "", nil))
	require.Nil(t, partition(req, "", []string{"Authorization"}))
	digest := partition(req, "", []string{"X-Api-Key"})
	require.Len(t, digest, 32)
	require.NotContains(t, string(digest), "secret")
	require.NotEqual(t, digest, partition(req, "n", []string{"X-Api-Key"}))
	require.NotEqual(t, partition(req, "a", nil), partition(req, "b", nil))
	req.Host = "b"
	require.NotNil(t, partition(req, "", nil))
}

// A credential in one field is not the same in another.
func TestPartitionTellsFieldsApart(t *testing.T) {
	names := []string{"Api-Key", "X-Api-Key"}
	of := func(name string) []byte {
		return partition(&http.Request{URL: &url.URL{Host: "a"}, Header: http.Header{name: {"k"}}}, "", names)
	}
	require.NotEqual(t, of("Api-Key"), of("X-Api-Key"))
}
