package llm

// Dialect is how a family of APIs writes its answers. Paths lead into the JSON
// of answers and events: "choices.delta.content" is a member of an object in an
// object, and arrays don't show.
type Dialect struct {
	// Answer has members of answers that errors don't have.
	Answer []string
	// Content has what the user waits for: texts, reasoning, calls of tools.
	Content []string
	// Done has what is null until the answer is complete.
	Done []string
	// Ends, Errors and Idle are kinds of events that end an answer, tell an
	// error, or say nothing; by their event field or by the member type.
	Ends, Errors, Idle []string
	// Where the tokens are: of the prompt, of the answer (and what has to be added
	// to it), and of the prompt those that came from the provider's cache.
	Input, Output, MoreOutput, Cached []string
	// The tokens of the prompt that came from the cache or went into it, where
	// Input has those that did neither.
	CacheRead, CacheWrite []string
}

// The dialects. An error is written nearly alike in all of them, see newDialect.
func chatDialect() Dialect {
	return Dialect{ // OpenAI's chat and text completions, spoken by most
		Answer: []string{"choices", "data"},
		Content: []string{
			"choices.delta.content", "choices.delta.reasoning_content", "choices.delta.reasoning", "choices.delta.reasoning_details",
			"choices.delta.refusal", "choices.delta.tool_calls", "choices.delta.function_call", "choices.delta.audio", "choices.delta.images",
			"choices.text", "choices.message",
		},
		Done:   []string{"choices.finish_reason"},
		Input:  []string{"usage.prompt_tokens", "x_groq.usage.prompt_tokens"},
		Output: []string{"usage.completion_tokens", "x_groq.usage.completion_tokens"},
		Cached: []string{"usage.prompt_tokens_details.cached_tokens", "usage.prompt_cache_hit_tokens"},
	}
}

func responsesDialect() Dialect {
	return Dialect{ // OpenAI's responses
		Answer:  []string{"output"},
		Content: []string{"delta", "partial_image_b64"},
		Ends:    []string{"response.completed", "response.incomplete"},
		Errors:  []string{"error", "response.failed"},
		Idle:    []string{"keepalive"},
		Input:   []string{"response.usage.input_tokens", "usage.input_tokens"},
		Output:  []string{"response.usage.output_tokens", "usage.output_tokens"},
		Cached:  []string{"response.usage.input_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens"},
	}
}

func messagesDialect() Dialect {
	return Dialect{ // Anthropic's messages
		Answer:     []string{"content"},
		Content:    []string{"delta.text", "delta.thinking", "delta.partial_json", "delta.citation"},
		Done:       []string{"delta.stop_reason"},
		Ends:       []string{"message_stop"},
		Errors:     []string{"error"},
		Idle:       []string{"ping"},
		Input:      []string{"message.usage.input_tokens", "usage.input_tokens"},
		Output:     []string{"message.usage.output_tokens", "usage.output_tokens"},
		CacheRead:  []string{"message.usage.cache_read_input_tokens", "usage.cache_read_input_tokens"},
		CacheWrite: []string{"message.usage.cache_creation_input_tokens", "usage.cache_creation_input_tokens"},
	}
}

func geminiDialect() Dialect {
	return Dialect{ // Google's generateContent
		Answer: []string{"candidates", "embedding", "embeddings", "totalTokens"},
		Content: []string{
			"candidates.content.parts.text", "candidates.content.parts.functionCall", "candidates.content.parts.inlineData",
			"candidates.content.parts.executableCode", "candidates.content.parts.codeExecutionResult",
		},
		Done:       []string{"candidates.finishReason", "promptFeedback.blockReason"},
		Input:      []string{"usageMetadata.promptTokenCount"},
		Output:     []string{"usageMetadata.candidatesTokenCount"},
		MoreOutput: []string{"usageMetadata.thoughtsTokenCount"},
		Cached:     []string{"usageMetadata.cachedContentTokenCount"},
	}
}

// dialect is a set of Dialects made ready for use.
type dialect struct {
	paths              *paths
	ends, errors, idle []string
}

// newDialect joins dialects. ok is false if there are too many paths.
func newDialect(all ...Dialect) (d *dialect, ok bool) {
	d = &dialect{paths: newPaths(), idle: []string{"heartbeat", "keep-alive"}}
	ok = true
	add := func(r role, paths ...string) {
		for _, p := range paths {
			ok = d.paths.add(r, p) && ok
		}
	}
	for _, x := range all {
		add(roleAnswer, x.Answer...)
		add(roleContent, x.Content...)
		add(roleFinish, x.Done...)
		add(roleInput, x.Input...)
		add(roleOutput, x.Output...)
		add(roleMoreOutput, x.MoreOutput...)
		add(roleCached, x.Cached...)
		add(roleCacheRead, x.CacheRead...)
		add(roleCacheWrite, x.CacheWrite...)
		d.ends = append(d.ends, x.Ends...)
		d.errors = append(d.errors, x.Errors...)
		d.idle = append(d.idle, x.Idle...)
	}
	for _, at := range []string{"error", "response.error", "choices.error", "x_groq.error"} {
		add(roleError, at)
		add(roleErrorType, at+".type")
		add(roleErrorCode, at+".code")
		add(roleMessage, at+".message")
	}
	add(roleErrorType, "error.status") // Gemini has no type
	add(roleErrorDetail, "error.details.error_code", "error.details.reason")
	add(roleRetryDelay, "error.details.retryDelay")
	add(roleQuota, "error.details.violations.quotaId")
	// Mistral's, and those in events of OpenAI's responses, stand at the top.
	add(roleType, "type")
	add(roleErrorCode, "code")
	add(roleMessage, "message", "detail")
	return d, ok
}
