package retry

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/keyed"
)

// settings are a configuration with what follows from it.
type settings struct {
	Config
	keyOf   middleware.KeyFunc
	budgets *keyed.Map[budget] // nil without a budget
}

// settle derives the settings. Update keeps the budgets unless their windows,
// keys or number change.
func (r *Retry) settle(cfg Config) *settings {
	s := &settings{Config: cfg}
	b := &cfg.Budget
	if !b.Enabled {
		return s
	}
	if s.keyOf = r.keyOf; s.keyOf == nil {
		s.keyOf = middleware.KeyByName(b.Key)
	}
	if old := r.settings.Load(); old != nil && old.budgets != nil &&
		old.Budget.Window == b.Window && old.Budget.Key == b.Key && old.Budget.MaxKeys == b.MaxKeys {
		s.budgets = old.budgets
		return s
	}
	s.budgets = keyed.New(b.MaxKeys, func(string) *budget { return newBudget(b.Window) }, (*budget).idle)
	return s
}

// budgetOf gives the budget of the request; nil without one.
func (s *settings) budgetOf(req *http.Request) *budget {
	if s.budgets == nil {
		return nil
	}
	return s.budgets.Get(s.keyOf(req))
}
