package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

var errFull = errors.New("queue is full")

func TestTheTextOfARefusal(t *testing.T) {
	for want, e := range map[string]*middleware.RejectedError{
		"semaphore":                {Stage: "semaphore"},
		"semaphore: queue is full": {Stage: "semaphore", Err: errFull},
		"semaphore: api.example.com: queue is full":                  {Stage: "semaphore", Key: "api.example.com", Err: errFull},
		"semaphore: api.example.com: queue is full, come back in 2s": {Stage: "semaphore", Key: "api.example.com", Err: errFull, RetryAfter: 2 * time.Second},
		"semaphore: queue is full: context canceled":                 {Stage: "semaphore", Err: errFull, Cause: context.Canceled},
		"semaphore: context deadline exceeded, come back in 1.235s":  {Stage: "semaphore", Cause: context.DeadlineExceeded, RetryAfter: 1234567 * time.Microsecond},
	} {
		require.EqualError(t, e, want)
	}
}

func TestWhatARefusalMatches(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     *middleware.RejectedError
		is      []error
		isNot   []error
		timeout bool
	}{
		{"a stage's sentinel", &middleware.RejectedError{Err: errFull},
			[]error{middleware.ErrRejected, errFull}, []error{context.Canceled, context.DeadlineExceeded}, false},
		{"a deadline as well", &middleware.RejectedError{Err: errFull, Cause: context.DeadlineExceeded},
			[]error{middleware.ErrRejected, errFull, context.DeadlineExceeded}, []error{context.Canceled}, true},
		{"a cancel alone", &middleware.RejectedError{Cause: context.Canceled},
			[]error{middleware.ErrRejected, context.Canceled}, []error{errFull, context.DeadlineExceeded}, false},
		{"nothing else", &middleware.RejectedError{},
			[]error{middleware.ErrRejected}, []error{errFull, context.Canceled, context.DeadlineExceeded}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := http.Client{Transport: middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, tt.err })}
			_, wrapped := client.Get("http://upstream.test")
			var viaURL *url.Error
			require.ErrorAs(t, wrapped, &viaURL)
			require.Equal(t, tt.timeout, viaURL.Timeout(), "url.Error asks for the method")
			require.Equal(t, tt.timeout, tt.err.Timeout())
			for _, err := range []error{tt.err, wrapped} {
				for _, target := range tt.is {
					require.ErrorIs(t, err, target)
				}
				for _, target := range tt.isNot {
					require.NotErrorIs(t, err, target)
				}
				var rejected *middleware.RejectedError
				require.ErrorAs(t, err, &rejected)
				require.Same(t, tt.err, rejected)
			}
		})
	}
}
