package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/diagnosis"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check servers, settings, clocks and schema, and say what to mend", Args: cobra.NoArgs,
		Long: `Looks at the settings in the environment, at MySQL and every Redis master and how they are set, at their clocks and the schema, and at
whether processes run: guardians, workers that read, a flusher that writes back, entries that wait, dead letters, shows left off
sale, drift. It says of each whether it is ok, and how a warning or a fault is mended. It changes nothing, and may run at any time.

The exit status is 1 when there is a fault; warnings are for when there is time. For JSON, the field check is a stable word.`,
		Example: `  neticket doctor
  neticket doctor --json | jq '.findings[] | select(.severity != "ok")'`,
		RunE: doing(func(ctx context.Context) error { return t.doctor(ctx, asJSON) }),
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// examined is the result of the doctor.
type examined struct {
	Healthy  bool                `json:"healthy"` // no fault; there may be warnings
	Faults   int                 `json:"faults"`
	Warnings int                 `json:"warnings"`
	Findings diagnosis.Diagnosis `json:"findings"`
}

func (t tool) doctor(ctx context.Context, asJSON bool) error {
	env, err := t.settings(t.environ)
	if err != nil {
		return err
	}
	found := config.Examine(env, env.Lookup)
	if found.Count(diagnosis.Fault) == 0 {
		quiet := t // what it would log, the findings tell
		quiet.logs = io.Discard
		err := quiet.with(env, func(s *system.System) error {
			found = append(found, s.Examine(ctx)...)
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	result := examined{Faults: found.Count(diagnosis.Fault), Warnings: found.Count(diagnosis.Warning), Findings: found}
	result.Healthy = result.Faults == 0
	if asJSON {
		err = t.printJSON(result)
	} else {
		err = t.printFindings(result)
	}
	if err == nil && !result.Healthy {
		err = fmt.Errorf("%d faults", result.Faults)
	}
	return err
}

func (t tool) printFindings(result examined) error {
	var text strings.Builder
	for _, f := range result.Findings {
		fmt.Fprintf(&text, "%-8s %-22s %s\n", f.Severity, f.Check, f.Detail)
		if f.Mend != "" {
			fmt.Fprintf(&text, "%-8s %-22s -> %s\n", "", "", f.Mend)
		}
	}
	if result.Healthy {
		fmt.Fprintf(&text, "\nHealthy: no faults, %d warnings.\n", result.Warnings)
	} else {
		fmt.Fprintf(&text, "\nNot healthy: %d faults, %d warnings. -> says how to mend them.\n", result.Faults, result.Warnings)
	}
	_, err := io.WriteString(t.out, text.String())
	return err
}
