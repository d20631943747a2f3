package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) stockCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check", Short: "Check drift and invariants", Args: cobra.NoArgs,
		Long: `Looks once at MySQL and Redis and tells which invariants (docs/architecture.md) are broken, with the ids of the reservations.
It changes nothing and may run during a sale: a show that never stands still, or is paused, is listed as inconclusive,
and only its rows are checked. The exit status is 1 when an invariant is broken.`,
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error { return t.checkStock(ctx, s, asJSON) })
		}),
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// errBroken is what the exit status tells.
var errBroken = errors.New("an invariant is broken")

func (t tool) checkStock(ctx context.Context, s *system.System, asJSON bool) error {
	if err := checkDeployment(ctx, s); err != nil {
		return err
	}
	report, err := invariant.Check(ctx, invariant.Sources{DB: s.DB, Redis: s.Redis, Shards: s.Shards, Ledger: s.Ledger})
	if err != nil {
		return err
	}
	if asJSON {
		err = t.printJSON(report)
	} else {
		err = t.printReport(report)
	}
	if err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if !report.OK() {
		return errBroken
	}
	return nil
}

func (t tool) printReport(r invariant.Report) error {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "shows\t%d\nloaded\t%d\ncompared\t%d\ninconclusive\t%s\ndrift\t%d units\noldest entry\t%.1f s\n",
		r.Shows, r.Loaded, r.Conclusive, orNone(r.Inconclusive), r.Drift, r.OldestEntry)
	if len(r.Violations) > 0 {
		_, _ = fmt.Fprint(w, "\nBROKEN\tSHOW\tWHAT\n")
	}
	for _, v := range r.Violations {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\n", v.Invariant, v.Show, v.Detail)
		for _, id := range v.IDs {
			_, _ = fmt.Fprintf(w, "\t\t  %s\n", id)
		}
	}
	switch {
	case !r.OK():
	case len(r.Inconclusive) > 0:
		_, _ = fmt.Fprint(w, "\nNothing is broken as far as can be told: the inconclusive shows never stood still, are paused, or no process\n"+
			"is there to vouch for their Redis server.\n")
	default:
		_, _ = fmt.Fprint(w, "\nAll invariants hold.\n")
	}
	return w.Flush() // returns the first error
}

func orNone(shows []int64) string {
	if len(shows) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: %s", len(shows), strings.Trim(fmt.Sprint(shows), "[]"))
}
