package ratelimit_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// noon is the time of the responses in these tests.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// header is made of lines "Name: value".
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

// Requirement 8, for limits: what each upstream sends, and what no upstream should.
func TestReadQuotas(t *testing.T) {
	const requests, units = ratelimit.Requests, ratelimit.Units
	type quotas = []ratelimit.Quota
	for _, c := range []struct {
		name   string
		header http.Header
		want   quotas
	}{
		{name: "nothing", header: header("Content-Type: text/plain")},
		{
			name: "OpenAI",
			header: header("x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 59", "x-ratelimit-reset-requests: 1s",
				"x-ratelimit-limit-tokens: 150000", "x-ratelimit-remaining-tokens: 149984", "x-ratelimit-reset-tokens: 6m0s"),
			want: quotas{
				{Budget: requests, Limit: 60, Remaining: 59, Reset: time.Second, Refills: true},
				{Budget: units, Limit: 150000, Remaining: 149984, Reset: 6 * time.Minute, Refills: true},
			},
		},
		{
			name:   "OpenAI, milliseconds",
			header: header("x-ratelimit-limit-requests: 10000", "x-ratelimit-remaining-requests: 9999", "x-ratelimit-reset-requests: 12ms"),
			want:   quotas{{Budget: requests, Limit: 10000, Remaining: 9999, Reset: 12 * time.Millisecond, Refills: true}},
		},
		{
			name:   "Groq, a limit of the day",
			header: header("x-ratelimit-limit-requests: 14400", "x-ratelimit-remaining-requests: 14370", "x-ratelimit-reset-requests: 2m59.56s"),
			want:   quotas{{Budget: requests, Limit: 14400, Remaining: 14370, Reset: 179560 * time.Millisecond, Refills: true}},
		},
		{
			name: "Azure, seconds and what it does not know",
			header: header("x-ratelimit-limit-requests: -1", "x-ratelimit-remaining-requests: -1", "x-ratelimit-reset-requests: 0",
				"x-ratelimit-limit-tokens: 1000", "x-ratelimit-remaining-tokens: 900", "x-ratelimit-reset-tokens: 6"),
			want: quotas{{Budget: units, Limit: 1000, Remaining: 900, Reset: 6 * time.Second, Refills: true}},
		},
		{
			name:   "Azure, zeros for what it does not know",
			header: header("x-ratelimit-limit-requests: 0", "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 0"),
		},
		{
			name: "Anthropic, relative to its own clock",
			header: header("Date: "+noon.Add(time.Hour).Format(http.TimeFormat),
				"anthropic-ratelimit-requests-limit: 50", "anthropic-ratelimit-requests-remaining: 49", "anthropic-ratelimit-requests-reset: 2026-05-01T13:00:02Z",
				"anthropic-ratelimit-tokens-limit: 80000", "anthropic-ratelimit-tokens-remaining: 79000", "anthropic-ratelimit-tokens-reset: 2026-05-01T12:59:00Z"),
			want: quotas{
				{Budget: requests, Limit: 50, Remaining: 49, Reset: 2 * time.Second, Refills: true},
				{Budget: units, Limit: 80000, Remaining: 79000, Refills: true},
			},
		},
		{
			name: "Anthropic, tokens by direction",
			header: header("anthropic-ratelimit-input-tokens-limit: 80000", "anthropic-ratelimit-input-tokens-remaining: 79000",
				"anthropic-ratelimit-output-tokens-limit: 16000", "anthropic-ratelimit-output-tokens-remaining: 15000"),
			want: quotas{
				{Budget: units, Limit: 80000, Remaining: 79000, Refills: true},
				{Budget: units, Limit: 16000, Remaining: 15000, Refills: true},
			},
		},
		{
			name:   "Mistral",
			header: header("x-ratelimit-limit-req-minute: 120", "x-ratelimit-remaining-req-minute: 7", "x-ratelimit-limit-tokens-minute: 5000"),
			want: quotas{
				{Budget: units, Limit: 5000, Window: time.Minute, Remaining: -1},
				{Budget: requests, Limit: 120, Window: time.Minute, Remaining: 7},
			},
		},
		{
			name:   "Cerebras, decimal seconds",
			header: header("x-ratelimit-remaining-tokens-minute: 0", "x-ratelimit-reset-tokens-minute: 11.25"),
			want:   quotas{{Budget: units, Window: time.Minute, Reset: 11250 * time.Millisecond}},
		},
		{
			name:   "the older IETF fields",
			header: header("RateLimit-Limit: 100, 100;w=60", "RateLimit-Remaining: 3", "RateLimit-Reset: 12"),
			want:   quotas{{Limit: 100, Remaining: 3, Reset: 12 * time.Second}},
		},
		{
			name:   "seconds since 1970",
			header: header("RateLimit-Remaining: 0", "RateLimit-Reset: 1777636830"),
			want:   quotas{{Reset: 30 * time.Second}},
		},
		{
			name:   "IETF structured fields",
			header: header(`RateLimit-Policy: "burst";q=100;w=60,"daily";q=1000;w=86400`, `RateLimit: "daily";r=0;t=3600`, `RateLimit: "burst" ; r=30 ; t=12`),
			want: quotas{
				{Limit: 100, Window: time.Minute, Remaining: 30, Reset: 12 * time.Second},
				{Limit: 1000, Window: 24 * time.Hour, Remaining: 0, Reset: time.Hour},
			},
		},
		{
			name:   "IETF, names with all that a string can hold",
			header: header(`RateLimit: "a,b;c\"d";r=1;t=2`),
			want:   quotas{{Remaining: 1, Reset: 2 * time.Second}},
		},
		{
			name:   "IETF, other units are not for us",
			header: header(`RateLimit-Policy: "b";q=9;qu="content-bytes", "r";q=5;w=1;qu="requests"`, `RateLimit: "b";r=0;t=5`),
			want:   quotas{{Limit: 5, Window: time.Second, Remaining: -1}},
		},
		{
			name:   "an earlier IETF draft",
			header: header("RateLimit: limit=100, remaining=50, reset=5", "RateLimit-Policy: 100;w=60"),
			want: quotas{
				{Window: time.Minute, Remaining: -1},
				{Limit: 100, Remaining: 50, Reset: 5 * time.Second},
			},
		},
		{
			name:   "too large to count",
			header: header("RateLimit-Remaining: 99999999999999999999999", "RateLimit-Reset: 99999999999999999999"),
			want:   quotas{{Remaining: 1_000_000_000_000, Reset: math.MaxInt64}},
		},
		{
			name: "unreadable",
			header: header("RateLimit-Remaining: NaN", "RateLimit-Limit: 0x10", "RateLimit-Reset: soon",
				"x-ratelimit-remaining-tokens: 1e9", "x-ratelimit-limit-requests: "+strings.Repeat("1", 2000), "RateLimit: ;;;,,,"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, ratelimit.ReadQuotas(c.header, noon, ratelimit.Families()...))
		})
	}
}

func TestResets(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1": time.Second, "1.5": 1500 * time.Millisecond, " 2 ": 2 * time.Second, "0": 0, "-3": 0, "": 0,
		"12ms": 12 * time.Millisecond, "6m0s": 6 * time.Minute, "1h2m3.5s": time.Hour + 2*time.Minute + 3500*time.Millisecond,
		"1d": 24 * time.Hour, "1d2h": 26 * time.Hour, "-1m": 0, "xd1s": 0, "1d x": 0, "5 s": 0, "999999999h": 0,
		"2026-05-01T12:00:05Z": 5 * time.Second, "2026-05-01T14:00:05.5+02:00": 5500 * time.Millisecond, "2020-01-01T00:00:00Z": 0,
		"1777636801": time.Second, "9999999999999999999999": math.MaxInt64,
	} {
		t.Run(in, func(t *testing.T) {
			quotas := ratelimit.ReadQuotas(header("RateLimit-Remaining: 1", "RateLimit-Reset: "+in), noon, ratelimit.Families()...)
			require.Len(t, quotas, 1)
			require.Equal(t, want, quotas[0].Reset)
		})
	}
}

// Whatever an upstream sends, what is read is bounded and makes sense.
func FuzzReadQuotas(f *testing.F) {
	f.Add("60", "59", "6m0s", `"burst";q=100;w=60, "daily";q=1;w=86400`, `"burst";r=30;t=12`)
	f.Add("-1", "1.5", "2026-05-01T12:00:05Z", "100;w=60", "limit=100, remaining=50, reset=5")
	f.Add("", "0", "1777636801", `"\"`, `";,=`)
	f.Add("1e9", "NaN", "1d", strings.Repeat(",a", 600), strings.Repeat(";r=", 300))
	f.Fuzz(func(t *testing.T, limit, remaining, reset, policy, current string) {
		h := http.Header{
			"Ratelimit-Limit": {limit}, "Ratelimit-Remaining": {remaining}, "Ratelimit-Reset": {reset},
			"X-Ratelimit-Limit-Tokens": {limit}, "X-Ratelimit-Remaining-Tokens": {remaining}, "X-Ratelimit-Reset-Tokens": {reset},
			"Ratelimit-Policy": {policy}, "Ratelimit": {current},
		}
		quotas := ratelimit.ReadQuotas(h, noon, ratelimit.Families()...)
		if len(quotas) > 16 {
			t.Fatalf("%d quotas", len(quotas))
		}
		for _, q := range quotas {
			if q.Limit < 0 || q.Remaining < -1 || q.Reset < 0 || q.Window < 0 || q.Limit > 1e12 || q.Remaining > 1e12 {
				t.Fatalf("%+v", q)
			}
		}
	})
}

// Every response pays for it that it may tell a limit.
func TestReadingNothingAllocatesNothing(t *testing.T) {
	h, families := header("date: Fri, 01 May 2026 11:59:58 GMT", "content-type: application/json"), ratelimit.Families()
	require.Zero(t, testing.AllocsPerRun(100, func() { ratelimit.ReadQuotas(h, noon, families...) }))
}

func TestFamiliesAreCanonical(t *testing.T) {
	for _, family := range ratelimit.Families() {
		for _, f := range family.Fields {
			for _, name := range []string{f.Limit, f.Remaining, f.Reset} {
				require.Equal(t, http.CanonicalHeaderKey(name), name)
			}
		}
	}
}

func BenchmarkReadQuotas(b *testing.B) {
	plain := []string{"date: Fri, 01 May 2026 11:59:58 GMT", "content-type: application/json", "content-length: 2", "server: nginx",
		"vary: Accept", "x-request-id: 1", "cache-control: no-store", "via: 1.1 a"}
	families := ratelimit.Families()
	for _, row := range []struct {
		name   string
		header http.Header
	}{
		{"none", header(plain...)},
		{"two", header(append(plain, "x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 59", "x-ratelimit-reset-requests: 1s",
			"x-ratelimit-limit-tokens: 150000", "x-ratelimit-remaining-tokens: 149984", "x-ratelimit-reset-tokens: 6m0s")...)},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ratelimit.ReadQuotas(row.header, noon, families...)
			}
		})
	}
}
