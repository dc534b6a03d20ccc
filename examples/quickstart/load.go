package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// growing is the load: ten steps from 100 to 1000 requests per second.
func growing(step time.Duration) loadtest.Load {
	l := loadtest.Load{Step: step, Deadline: 2 * time.Second}
	for s := range 10 {
		l.Rates = append(l.Rates, 100*(s+1))
	}
	return l
}

// distinct makes every prompt another one.
func distinct(i int) string { return fmt.Sprintf("Question number %d?", i) }

// zipf draws n prompts from 200, the popular ones often, as users do (exponent 1.1).
func zipf(n int) func(i int) string {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 199)
	drawn := make([]uint64, n)
	for i := range drawn {
		drawn[i] = z.Uint64()
	}
	return func(i int) string { return fmt.Sprintf("Popular question number %d?", drawn[i]) }
}
