package llmtest

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Unpaid answers 402, as DeepSeek does when the balance is used up.
func Unpaid() Turn {
	return Error(http.StatusPaymentRequired, "unknown_error", "invalid_request_error", "Insufficient Balance")
}

// InsufficientQuota answers 429 with OpenAI's code insufficient_quota: no waiting helps, only paying.
func InsufficientQuota() Turn {
	return Error(http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota",
		"You exceeded your current quota, please check your plan and billing details.")
}

// SpendLimit answers 429 with Anthropic's error_code enforced_spend_limit_reached: no waiting helps until the
// month ends or somebody raises the limit.
func SpendLimit() Turn {
	return func(r Request) middlewaretest.Answer {
		return failure{
			kind: "rate_limit_error", code: "enforced_spend_limit_reached",
			message: "You have reached your specified API usage limits.",
			details: map[string]string{"error_code": "enforced_spend_limit_reached"},
		}.answer(r, http.StatusTooManyRequests)
	}
}

// DailyQuota answers 429 with a quotaId that contains PerDay, as Gemini's compatible API does when the day's
// requests are used up, and with a RetryInfo that promises too much.
func DailyQuota() Turn {
	return func(Request) middlewaretest.Answer {
		return jsonAnswer(http.StatusTooManyRequests, gemini("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "0.1s"))
	}
}

// gemini is a Google error (google.rpc.Status) as the body of the compatible API, an array.
func gemini(quotaID, retryDelay string) []byte {
	type violation struct {
		QuotaMetric string `json:"quotaMetric"`
		QuotaID     string `json:"quotaId"`
	}
	type detail struct {
		Type       string      `json:"@type"`
		Violations []violation `json:"violations,omitempty"`
		RetryDelay string      `json:"retryDelay,omitempty"`
	}
	type status struct {
		Code    int      `json:"code"`
		Message string   `json:"message"`
		Status  string   `json:"status"`
		Details []detail `json:"details"`
	}
	type root struct {
		Error status `json:"error"`
	}
	return encode([]root{{status{
		Code: http.StatusTooManyRequests, Status: "RESOURCE_EXHAUSTED",
		Message: "You exceeded your current quota.",
		Details: []detail{
			{
				Type:       "type.googleapis.com/google.rpc.QuotaFailure",
				Violations: []violation{{"generativelanguage.googleapis.com/generate_content_free_tier_requests", quotaID}},
			},
			{Type: "type.googleapis.com/google.rpc.RetryInfo", RetryDelay: retryDelay},
		},
	}}})
}
