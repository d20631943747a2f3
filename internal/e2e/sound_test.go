package e2e

import (
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/invariant"
)

// sound checks the invariants of a system at rest: all shows can be looked at, and nothing is broken or drifts.
func (d *deployment) sound(t *testing.T) {
	t.Helper()
	servertest.Eventually(t, 10*time.Second, "the fence is open", func() bool { return d.Ledger.CheckFence(t.Context()) == nil })
	report, err := invariant.Check(t.Context(), invariant.Sources{DB: d.DB, Redis: d.Redis, Shards: d.Shards, Ledger: d.Ledger})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() || len(report.Inconclusive) > 0 || report.Conclusive == 0 {
		t.Errorf("invariants: %+v", report)
	}
}
