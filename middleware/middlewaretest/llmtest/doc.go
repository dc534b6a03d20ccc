// Package llmtest is an LLM API on loopback that fails as the real ones do. A program's tests run against it
// with the SDK that the program uses, whichever that is.
//
// It is a [middlewaretest.Upstream] that speaks chat completions, as OpenAI, DeepSeek and those compatible with
// them do, and Anthropic's messages; with a JSON body or as a stream of server-sent events, as the request asks.
// What it does with each request is a [Turn]:
//
//	func TestTheAssistantSurvivesABusyAPI(t *testing.T) {
//		api := llmtest.New(t, llmtest.Busy(503), llmtest.Reset(), llmtest.Say(llmtest.Words("hello, world")))
//		client := openai.NewClient(option.WithBaseURL(api.URL+"/v1"), option.WithHTTPClient(pipeline.Client()))
//		...
//		if got := api.Stats(); got.Requests != 3 || got.Wasted() != 0 {
//			t.Errorf("%d attempts, %d tokens for nobody", got.Requests, got.Wasted())
//		}
//	}
//
// [Failures] lists every failure that is known, with what a client should make of it, so that a test can go
// through them all. The texts, codes and fields are those of the vendors' documents and of replies that users
// have reported; the limits are not, an [Upstream] has those of its [middlewaretest.Config].
//
// A request is looked at as the real APIs do: a body that is not JSON, a missing model, message or key get
// their 400 or 401, and are counted in [Stats.Invalid].
package llmtest
