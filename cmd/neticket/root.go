package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/system"
)

// tool is what the commands share.
type tool struct {
	environ environ
	dev     string    // folder of a "neticket dev" whose settings count where the environment names no servers; empty: none does
	in      io.Reader // a password, where a command needs one
	out     io.Writer // for results
	logs    io.Writer // for logs and errors
}

// root returns the tool as a command, with all the others below.
func (t tool) root() *cobra.Command {
	root := &cobra.Command{
		Use: "neticket", Short: "The operator's tool of NETicket", Version: ops.ReadBuild().Version,
		Long: `The operator's tool of NETicket. It is configured by the environment, as the three daemons are: see docs/configuration.md. The exit
status is 0, 1 when something failed or is wrong, 2 when the tool was called in a wrong way. Results go to standard output.`,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(t.devCommand(), t.migrateCommand(), t.seedCommand(), t.tokensCommand(), t.showsCommand(), t.stockCommand(),
		t.usersCommand(), t.deadLettersCommand(), t.rushCommand(), t.doctorCommand())
	root.SetOut(t.out)
	root.SetErr(t.logs)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.RunE = help
	}
	return root
}

// run does what the arguments say and returns the exit status: 0, 1 when it failed, 2 when it was called in a wrong way.
func (t tool) run(ctx context.Context, args []string) int {
	root := t.root()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	switch failed, ok := errors.AsType[failure](err); {
	case err == nil:
		return 0
	case ok:
		_, _ = fmt.Fprintf(t.logs, "%s: %v\n", command.CommandPath(), failed)
		return 1
	default:
		_, _ = fmt.Fprintf(t.logs, "%s: %v\nTry: %s --help\n", command.CommandPath(), err, command.CommandPath())
		return 2
	}
}

// failure is an error of what a command did. Every other error that cobra returns is about how it was called.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// doing makes a RunE of what a command does.
func doing(do func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := do(cmd.Context()); err != nil {
			return failure{err}
		}
		return nil
	}
}

// open puts the system together that an environment leads to, or else a running dev. It dials nothing; the caller closes it.
func (t tool) open(env environ) (*system.System, error) {
	env, err := t.settings(env)
	if err != nil {
		return nil, err
	}
	c, err := config.Load(config.Tool, env.Lookup)
	if err != nil {
		return nil, err
	}
	log := ops.NewLogger(t.logs, c.LogLevel, "text") // people read it
	ops.CatchRedisLog(log)
	for _, name := range config.Unknown(env) {
		log.Warn("there is no such setting; is it misspelt?", "name", name)
	}
	return system.Build(c, log, prometheus.NewRegistry())
}

// with calls do with a system that it opens and closes.
func (t tool) with(env environ, do func(*system.System) error) error {
	s, err := t.open(env)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

// addJSONFlag gives a command that prints something to read its --json.
func addJSONFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print the result as JSON")
}

func (t tool) printJSON(result any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}
