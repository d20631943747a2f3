package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system"
)

const (
	defaultLetters = 100
	maxLetters     = 10_000
)

func (t tool) deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "dead-letters", Short: "Look after entries that could not be decoded", Args: cobra.NoArgs,
		Long: `Entries of the streams that could not be decoded lie in the dead letters, one stream a shard; nothing was recorded of them. What made
them is to be found out; then they can be dropped.

Fields may hold any bytes. They are printed as they are where they are printable; a backslash is doubled, all else is escaped as in
\n, \x00, \xff, \u200b, in JSON, too. A name that comes again in an entry has \#2, \#3 and so on behind it in JSON.`,
		RunE: help,
	}
	cmd.AddCommand(t.listLettersCommand(), t.showLetterCommand(), t.dropLetterCommand())
	return cmd
}

func (t tool) listLettersCommand() *cobra.Command {
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List dead letters, the newest first", Args: cobra.NoArgs,
		Long: "Lists dead letters, the newest first, with why each was buried. With --json they are printed whole.",
		PreRunE: func(*cobra.Command, []string) error {
			if limit < 1 || limit > maxLetters {
				return fmt.Errorf("--limit must be 1 to %d", maxLetters)
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error { return t.listLetters(ctx, s, limit, asJSON) })
		}),
	}
	addJSONFlag(cmd, &asJSON)
	cmd.Flags().IntVar(&limit, "limit", defaultLetters, "how many to list at most")
	return cmd
}

func (t tool) listLetters(ctx context.Context, s *system.System, limit int, asJSON bool) error {
	if err := checkDeployment(ctx, s); err != nil {
		return err
	}
	letters, more := []stream.Letter{}, true
	for before := (stream.LetterID{}); more && len(letters) < limit; {
		var page []stream.Letter
		var err error
		if page, more, err = s.Group.Letters(ctx, before, limit-len(letters)); err != nil {
			return err
		}
		letters = append(letters, page...)
		if more {
			before = page[len(page)-1].ID
		}
	}
	if asJSON {
		return t.printJSON(struct {
			DeadLetters []stream.Letter `json:"dead_letters"`
			More        bool            `json:"more"`
		}{letters, more})
	}
	if len(letters) == 0 {
		_, err := fmt.Fprintln(t.out, "There are no dead letters.")
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "ID\tBURIED AT\tENTRY\tREASON\n")
	for _, l := range letters {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.ID, l.BuriedAt.Format(time.RFC3339), l.Entry, l.Reason)
	}
	if more {
		_, _ = fmt.Fprint(w, "\nThere are more: see --limit.\n")
	}
	return w.Flush() // returns the first error
}

// letterCommand is a command that does something to the letter of its argument.
func (t tool) letterCommand(use, short string, do func(ctx context.Context, s *system.System, id stream.LetterID) error) *cobra.Command {
	var id stream.LetterID
	return &cobra.Command{
		Use: use + " ID", Short: short, Args: cobra.ExactArgs(1),
		PreRunE: func(_ *cobra.Command, args []string) error {
			var ok bool
			if id, ok = stream.ParseLetterID(args[0]); !ok {
				return fmt.Errorf("ID must be one of a dead letter, such as 3-1764000000000-0, not %q", args[0])
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error {
				if err := checkDeployment(ctx, s); err != nil {
					return err
				}
				return do(ctx, s, id)
			})
		}),
	}
}

func (t tool) showLetterCommand() *cobra.Command {
	var asJSON bool
	cmd := t.letterCommand("show", "Show a dead letter whole", func(ctx context.Context, s *system.System, id stream.LetterID) error {
		letter, err := s.Group.Letter(ctx, id)
		if err != nil {
			return err
		}
		if asJSON {
			return t.printJSON(letter)
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintf(w, "id\t%s\nshard\t%d\nentry\t%s\nburied at\t%s\nreason\t%s\n\nFIELD\tVALUE\n",
			letter.ID, letter.Shard, letter.Entry, letter.BuriedAt.Format(time.RFC3339Nano), letter.Reason)
		for _, field := range letter.Fields {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", stream.Text(field.Name), stream.Text(field.Value))
		}
		return w.Flush() // returns the first error
	})
	cmd.Long = "Shows a dead letter with all of its fields. `neticket dead-letters list` tells the ids."
	addJSONFlag(cmd, &asJSON)
	return cmd
}

func (t tool) dropLetterCommand() *cobra.Command {
	cmd := t.letterCommand("drop", "Delete a dead letter", func(ctx context.Context, s *system.System, id stream.LetterID) error {
		if err := s.OpenDeadLetters().Drop(ctx, auditlog.Actor{}, id); err != nil {
			return err
		}
		_, err := fmt.Fprintf(t.out, "%s is deleted; the audit log keeps what it held.\n", id)
		return err
	})
	cmd.Long = "Deletes a dead letter. What it held is written to the audit log before, as far as 60,000 bytes can hold it."
	return cmd
}
