package middlewaretest

import (
	"net/http"
	"sync"
)

// Script chooses the answer to the n-th request that the upstream sees, counted from 1; requests turned away
// at the queue are counted too. It is called from many goroutines at once, when the request is admitted.
// It may read the request's body, which is recorded all the same. A panic in it answers 500 with the panic's text.
type Script func(n int, r *http.Request) Answer

// Always gives one answer to every request.
func Always(a Answer) Script {
	return func(int, *http.Request) Answer { return a }
}

// Sequence gives the answers in turn, by the number of the request; the last one repeats.
// Without answers it is an empty 200 for everybody.
func Sequence(answers ...Answer) Script {
	return func(n int, _ *http.Request) Answer {
		if len(answers) == 0 {
			return Answer{}
		}
		return answers[min(n, len(answers))-1]
	}
}

// Handler gives the answers that f makes of the request alone.
func Handler(f func(r *http.Request) Answer) Script {
	return func(_ int, r *http.Request) Answer { return f(r) }
}

// PerCall numbers the attempts of each call from 1 for s, where requests with the same value of the header are
// one call: with a [Sequence] every call meets the same fate. It tells at most maxCalls calls apart; those
// beyond it count as one.
func PerCall(header string, maxCalls int, s Script) Script {
	var mu sync.Mutex
	attempts := make(map[string]int)
	others := 0
	count := func(call string) int {
		mu.Lock()
		defer mu.Unlock()
		if _, known := attempts[call]; !known && len(attempts) >= maxCalls {
			others++
			return others
		}
		attempts[call]++
		return attempts[call]
	}
	return func(_ int, r *http.Request) Answer {
		return s(count(r.Header.Get(header)), r)
	}
}
