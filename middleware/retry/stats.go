package retry

import (
	"cmp"
	"slices"
)

// Stats is a snapshot of what the stage did.
type Stats struct {
	Attempts  uint64 `json:"attempts"`  // all, the first ones included
	Retries   uint64 `json:"retries"`   // further attempts
	Recovered uint64 `json:"recovered"` // calls that a retry saved
	GaveUp    uint64 `json:"gave_up"`   // calls whose last attempt failed
	Budget    uint64 `json:"budget"`    // those of them that the budget gave up
	Outer     uint64 `json:"outer"`     // calls with which an outer client retried
	Nested    uint64 `json:"nested"`    // calls that passed through, because they are retries of another retry stage

	// Budgets are those that are remembered, by key. The one that keys beyond
	// max_keys share has the key "".
	Budgets []BudgetStats `json:"budgets,omitempty"`
}

// BudgetStats is a snapshot of one budget.
type BudgetStats struct {
	Key     string `json:"key"`
	Calls   int    `json:"calls"`   // within the window
	Retries int    `json:"retries"` // within the window, without those that did no harm
	Left    int    `json:"left"`    // retries that are allowed now; negative after those of outer clients
}

// Stats is a snapshot.
func (r *Retry) Stats() Stats {
	s := Stats{
		Attempts: r.attempts.Load(), Retries: r.retries.Load(),
		Recovered: r.recovered.Load(), GaveUp: r.gaveUp.Load(),
		Budget: r.outOfBudget.Load(), Outer: r.outer.Load(), Nested: r.nested.Load(),
	}
	set := r.settings.Load()
	if set.budgets == nil {
		return s
	}
	set.budgets.Range(func(key string, b *budget) {
		one := b.stats(&set.Budget)
		one.Key = key
		s.Budgets = append(s.Budgets, one)
	})
	slices.SortFunc(s.Budgets, func(a, b BudgetStats) int { return cmp.Compare(a.Key, b.Key) })
	return s
}
