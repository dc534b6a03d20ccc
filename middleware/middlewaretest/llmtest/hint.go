package llmtest

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Hint is a way in which an API says when to come back.
type Hint string

// The hints that are known. Resolution is what the field can say: a shorter wait is rounded up.
const (
	// NoHint says nothing.
	NoHint Hint = "no hint"
	// RetryAfterMS is the field retry-after-ms, in milliseconds.
	RetryAfterMS Hint = "retry-after-ms"
	// MSRetryAfterMS is the field x-ms-retry-after-ms, in milliseconds.
	MSRetryAfterMS Hint = "x-ms-retry-after-ms"
	// RetryAfterSeconds is Retry-After in whole seconds.
	RetryAfterSeconds Hint = "Retry-After in seconds"
	// RetryAfterDecimal is Retry-After in seconds with a fraction.
	RetryAfterDecimal Hint = "Retry-After with a fraction"
	// RetryAfterDate is Retry-After as an HTTP-date, of whole seconds.
	RetryAfterDate Hint = "Retry-After as a date"
	// OpenAIReset is x-ratelimit-reset-requests as a duration such as 6m0s or 12ms.
	OpenAIReset Hint = "x-ratelimit of OpenAI"
	// AzureReset is x-ratelimit-reset-requests in whole seconds.
	AzureReset Hint = "x-ratelimit of Azure"
	// GroqReset is x-ratelimit-reset-tokens, while the requests of the day are not used up.
	GroqReset Hint = "x-ratelimit of Groq"
	// CerebrasReset is x-ratelimit-reset-tokens-minute in seconds with a fraction.
	CerebrasReset Hint = "x-ratelimit of Cerebras"
	// MistralRemaining says which budget is used up, and not until when.
	MistralRemaining Hint = "x-ratelimit of Mistral"
	// AnthropicReset is anthropic-ratelimit-requests-reset, RFC 3339, of whole seconds.
	AnthropicReset Hint = "anthropic-ratelimit"
	// RateLimitField is RateLimit with t= in whole seconds (draft-ietf-httpapi-ratelimit-headers-10).
	RateLimitField Hint = "RateLimit of the IETF draft"
	// RateLimitReset is RateLimit-Reset in whole seconds, as in that draft's earlier versions.
	RateLimitReset Hint = "RateLimit-Reset"
	// RetryInfo is google.rpc.RetryInfo in the body, with a fraction.
	RetryInfo Hint = "RetryInfo of Gemini"
	// MessageText is a sentence in the error's message: "Please try again in 0.5s."
	MessageText Hint = "message text"
)

// Hints lists them all, NoHint first.
func Hints() []Hint {
	return []Hint{
		NoHint, RetryAfterMS, MSRetryAfterMS, RetryAfterSeconds, RetryAfterDecimal, RetryAfterDate, OpenAIReset, AzureReset, GroqReset,
		CerebrasReset, MistralRemaining, AnthropicReset, RateLimitField, RateLimitReset, RetryInfo, MessageText,
	}
}

// Says is the wait that a client reads where wait is meant: rounded up to the resolution; 0 where the hint cannot
// say. A date may be up to a second later than that.
func (h Hint) Says(wait time.Duration) time.Duration {
	switch h {
	case NoHint, MistralRemaining:
		return 0
	case RetryAfterSeconds, RetryAfterDate, AzureReset, AnthropicReset, RateLimitField, RateLimitReset:
		return time.Duration(seconds(wait)) * time.Second
	default:
		return wait
	}
}

// seconds rounds up.
func seconds(wait time.Duration) int { return int(math.Ceil(wait.Seconds())) }

// RateLimited answers 429 and says in the hint's way to come back after wait. It does not keep count: a client that
// comes back too early meets the next turn all the same.
func RateLimited(h Hint, wait time.Duration) Turn {
	return func(r Request) middlewaretest.Answer {
		if h == RetryInfo {
			return jsonAnswer(http.StatusTooManyRequests, gemini("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", decimal(wait)+"s"))
		}
		message := "Rate limit reached."
		if h == MessageText {
			message += " Please try again in " + decimal(wait) + "s."
		}
		a := failure{kind: "rate_limit_error", code: "rate_limit_exceeded", message: message}.answer(r, http.StatusTooManyRequests)
		for field, value := range h.fields(wait, r.At) {
			a = a.With(field, value)
		}
		return a
	}
}

// ConcurrencyLimited answers 429 with DeepSeek's limit on requests at the same time in the message, and no time.
func ConcurrencyLimited(limit int) Turn {
	return Error(http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded",
		fmt.Sprintf("You have reached the concurrency limit of %d for this model.", limit))
}

func (h Hint) fields(wait time.Duration, now time.Time) map[string]string {
	whole := strconv.Itoa(seconds(wait))
	// Sources of reset budgets send limit and remaining too; a client has to see which one is used up.
	switch h {
	case RetryAfterMS:
		return map[string]string{"retry-after-ms": strconv.FormatInt(wait.Milliseconds(), 10)}
	case MSRetryAfterMS:
		return map[string]string{"x-ms-retry-after-ms": strconv.FormatInt(wait.Milliseconds(), 10)}
	case RetryAfterSeconds:
		return map[string]string{"Retry-After": whole}
	case RetryAfterDecimal:
		return map[string]string{"Retry-After": decimal(wait)}
	case RetryAfterDate:
		// The fraction of now is lost: a second more keeps the promise.
		return map[string]string{"Retry-After": now.Add(wait + time.Second - 1).UTC().Format(http.TimeFormat), "Date": now.UTC().Format(http.TimeFormat)}
	case OpenAIReset:
		return budgets("x-ratelimit-%s-requests", 60, 0, wait.String(), "x-ratelimit-%s-tokens", 150000, 149000, "6m0s")
	case AzureReset:
		return budgets("x-ratelimit-%s-requests", 60, 0, whole, "x-ratelimit-%s-tokens", -1, -1, "0")
	case GroqReset:
		return budgets("x-ratelimit-%s-tokens", 6000, 0, wait.String(), "x-ratelimit-%s-requests", 14400, 14370, "2m59.56s")
	case CerebrasReset:
		return budgets("x-ratelimit-%s-tokens-minute", 60000, 0, decimal(wait), "x-ratelimit-%s-requests-day", 14400, 14000, "33011.38")
	case MistralRemaining:
		return budgets("x-ratelimit-%s-req-minute", 60, 0, "", "x-ratelimit-%s-tokens-minute", 500000, 499000, "")
	case AnthropicReset:
		at := now.Add(wait + time.Second - 1).UTC().Truncate(time.Second)
		return budgets("anthropic-ratelimit-requests-%s", 50, 0, at.Format(time.RFC3339),
			"anthropic-ratelimit-tokens-%s", 40000, 39000, now.Add(time.Minute).UTC().Format(time.RFC3339))
	case RateLimitField:
		return map[string]string{"RateLimit": `"default";r=0;t=` + whole, "RateLimit-Policy": `"default";q=60;w=60`}
	case RateLimitReset:
		return map[string]string{"RateLimit-Limit": "60", "RateLimit-Remaining": "0", "RateLimit-Reset": whole}
	}
	return nil
}

// budgets are the fields of two budgets, of which the first is the one that is used up.
func budgets(used string, limit, remaining int, reset, other string, otherLimit, otherRemaining int, otherReset string) map[string]string {
	fields := make(map[string]string, 6)
	set := func(name string, limit, remaining int, reset string) {
		fields[fmt.Sprintf(name, "limit")] = strconv.Itoa(limit)
		fields[fmt.Sprintf(name, "remaining")] = strconv.Itoa(remaining)
		if reset != "" {
			fields[fmt.Sprintf(name, "reset")] = reset
		}
	}
	set(used, limit, remaining, reset)
	set(other, otherLimit, otherRemaining, otherReset)
	return fields
}

// decimal is a duration in seconds, with milliseconds.
func decimal(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
