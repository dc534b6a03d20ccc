package middleware_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// knower is a stage that knows requests, and counts how often it is asked.
type knower struct {
	http.RoundTripper
	asked *int
}

func (k knower) Inspect(req *http.Request) middleware.RequestInfo {
	*k.asked++
	return middleware.RequestInfo{Units: len(req.URL.Path)}
}

func knowing(asked *int) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper { return knower{next, asked} }
}

// inspecting is a stage that asks of each request, and sends one on elsewhere.
func inspecting(infos *[]middleware.RequestInfo) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			*infos = append(*infos, ex.Inspect(inner))
			return next.RoundTrip(inner)
		})
	}
}

func TestAStageFurtherInTellsOfARequest(t *testing.T) {
	var asked int
	var infos []middleware.RequestInfo
	stage := inspecting(&infos)
	chain := middleware.Chain(noContent, stage, stage, knowing(&asked))
	_, err := chain.RoundTrip(requestTo(t, "http://api.test/chat"))
	require.NoError(t, err)
	want := middleware.RequestInfo{Units: 5}
	require.Equal(t, []middleware.RequestInfo{want, want}, infos)
	require.Equal(t, 2, asked, "each time that somebody asks")
}

func TestARequestThatGoesElsewhereIsAnother(t *testing.T) {
	var asked int
	var infos []middleware.RequestInfo
	elsewhere := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			other := req.Clone(req.Context())
			other.URL.Path = "/other"
			return next.RoundTrip(other)
		})
	}
	stage := inspecting(&infos)
	_, err := middleware.Chain(noContent, stage, elsewhere, stage, knowing(&asked)).RoundTrip(requestTo(t, "http://api.test/chat"))
	require.NoError(t, err)
	require.Equal(t, []middleware.RequestInfo{{Units: 5}, {Units: 6}}, infos)
}

func TestWithoutAStageThatKnowsNothingIsTold(t *testing.T) {
	var infos []middleware.RequestInfo
	_, err := middleware.Chain(noContent, inspecting(&infos)).RoundTrip(requestTo(t, "http://api.test/chat"))
	require.NoError(t, err)
	require.Equal(t, []middleware.RequestInfo{{}}, infos)
}

// usages collects what it is told.
type usages []middleware.Usage

func (u *usages) Used(x middleware.Usage) { *u = append(*u, x) }

func TestUsageIsToldToAllWhoAskedAboveTheAttempt(t *testing.T) {
	ex, inner := middleware.Join(requestTo(t, "http://api.test/chat"))
	var call, attempt, other usages
	ex.OnUsage(&call)
	child, _ := ex.Child(inner)
	child.OnUsage(&attempt)
	second, _ := ex.Child(inner)
	second.OnUsage(&other)
	child.ReportUsage(middleware.Usage{Input: 10, Cached: 4, Output: 2})
	require.Equal(t, usages{{Input: 10, Cached: 4, Output: 2}}, call)
	require.Equal(t, call, attempt)
	require.Empty(t, other, "the attempts beside it are not told")
	require.Equal(t, 12, call[0].Total())
}

var noContent = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: req}, nil
})

func requestTo(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	return req
}
