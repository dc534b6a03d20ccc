package llm

import "strings"

// Profile is what is known of a provider. It is data: a provider that is not
// here is one of these with a few settings of Config.
type Profile struct {
	// Name is how configuration calls it.
	Name string
	// Hosts are the names of its servers, or what they end with (".example.com").
	Hosts []string
	// Dialects are the formats of its answers.
	Dialects []Dialect
	// Codes gives the status that an error means by its code, type or status
	// text, for errors that come within a 200 or with a status that says less.
	Codes map[string]int
	// Budgets are the header fields that tell of limits: where nothing remains, the
	// reset is when to come back.
	Budgets []Budget
}

// Budget names the header fields of one limit.
type Budget struct{ Remaining, Reset string }

// The names of what is no single provider.
const (
	Auto    = "auto"    // chosen by the request's host
	Generic = "generic" // anything that speaks one of the dialects
)

// Profiles are the known ones, the generic one last.
func Profiles() []Profile {
	openai := budgets("X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens")
	anthropic := budgets(
		"Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset", "Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset",
		"Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset", "Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset")
	cerebras := budgets("X-Ratelimit-Remaining-Requests-Day", "X-Ratelimit-Reset-Requests-Day", "X-Ratelimit-Remaining-Tokens-Minute", "X-Ratelimit-Reset-Tokens-Minute")
	return []Profile{
		{Name: "deepseek", Hosts: []string{"api.deepseek.com"}, Dialects: []Dialect{chatDialect(), messagesDialect()}, Codes: codes(nil)},
		{Name: "openai", Hosts: []string{"api.openai.com", ".api.openai.com"}, Dialects: []Dialect{chatDialect(), responsesDialect()}, Budgets: openai, Codes: codes(nil)},
		{
			Name: "azure_openai", Hosts: []string{".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"},
			Dialects: []Dialect{chatDialect(), responsesDialect()}, Budgets: openai,
			Codes: codes(map[string]int{"NoCapacity": 429, "content_filter": 400, "DeploymentNotFound": 404}),
		},
		{Name: "anthropic", Hosts: []string{"api.anthropic.com"}, Dialects: []Dialect{messagesDialect()}, Budgets: anthropic, Codes: codes(nil)},
		{
			Name: "gemini", Hosts: []string{"generativelanguage.googleapis.com", "aiplatform.googleapis.com", "-aiplatform.googleapis.com"},
			Dialects: []Dialect{geminiDialect(), chatDialect()}, Codes: codes(map[string]int{"API_KEY_INVALID": 401}),
		},
		{Name: "groq", Hosts: []string{"api.groq.com"}, Dialects: []Dialect{chatDialect(), responsesDialect()}, Budgets: openai, Codes: codes(map[string]int{"over_capacity": 503})},
		{Name: "mistral", Hosts: []string{"api.mistral.ai", "codestral.mistral.ai"}, Dialects: []Dialect{chatDialect()}, Codes: codes(map[string]int{"service_tier_capacity_exceeded": 429, "3505": 429})},
		{Name: "openrouter", Hosts: []string{"openrouter.ai"}, Dialects: []Dialect{chatDialect(), responsesDialect(), messagesDialect()}, Codes: codes(nil)},
		{
			Name: Generic, Dialects: []Dialect{chatDialect(), responsesDialect(), messagesDialect(), geminiDialect()},
			Budgets: append(append(openai, anthropic...), cerebras...), Codes: codes(nil),
		},
	}
}

// codes are those of all providers, which do not contradict each other, and those of one.
func codes(own map[string]int) map[string]int {
	all := map[string]int{
		"insufficient_quota": 402, "billing_hard_limit_reached": 402, "billing_not_active": 402, "insufficient_balance": 402,
		"enforced_spend_limit_reached": 402, "billing_error": 402,
		"rate_limit_exceeded": 429, "rate_limit_error": 429, "RESOURCE_EXHAUSTED": 429, "tokens": 429, "requests": 429,
		"server_is_overloaded": 503, "slow_down": 503, "overloaded": 503, "engine_overloaded": 503, "service_unavailable": 503,
		"service_unavailable_error": 503, "UNAVAILABLE": 503, "overloaded_error": 529,
		"server_error": 500, "internal_error": 500, "internal_server_error": 500, "api_error": 500, "INTERNAL": 500,
		"timeout_error": 504, "DEADLINE_EXCEEDED": 504,
		"invalid_request_error": 400, "context_length_exceeded": 400, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400,
		"authentication_error": 401, "invalid_api_key": 401, "UNAUTHENTICATED": 401,
		"permission_error": 403, "PERMISSION_DENIED": 403,
		"not_found_error": 404, "model_not_found": 404, "NOT_FOUND": 404,
		"request_too_large": 413,
	}
	for code, status := range own {
		all[code] = status
	}
	return all
}

// budgets pairs names of fields.
func budgets(fields ...string) []Budget {
	all := make([]Budget, 0, len(fields)/2)
	for i := 0; i+1 < len(fields); i += 2 {
		all = append(all, Budget{fields[i], fields[i+1]})
	}
	return all
}

// serves tells whether a host is one of the profile's.
func (p *Profile) serves(host string) bool {
	for _, h := range p.Hosts {
		if host == h || (h[0] == '.' || h[0] == '-') && strings.HasSuffix(host, h) {
			return true
		}
	}
	return false
}
