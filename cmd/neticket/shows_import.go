package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/showlist"
	"github.com/neticket/neticket/internal/system"
)

// importRequest is what is asked of `shows import`.
type importRequest struct {
	file           string // "-": standard input
	format         showlist.Format
	dryRun, asJSON bool
}

func (t tool) showsImportCommand() *cobra.Command {
	var r importRequest
	var format string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Add shows from JSON lines or CSV: all of them or none", Args: cobra.ExactArgs(1),
		Long: `Adds the shows of a file, or of standard input where FILE is -. Every bad line is named with its fault, and unless all lines are good
nothing is added. To import a file twice makes its shows twice.

A show has the fields of POST /api/v1/admin/shows. These are required:
  title, venue    1 to 200 characters
  starts_at, sales_open_at
                  times such as 2026-05-03T19:00:00+09:00
  capacity        1 to 1000000 units
These may be left out, or empty:
  description     none
  price           0 won
  time_zone       Asia/Seoul
  sales_close_at  as starts_at
  limit_per_user  0: none
  image_alt       none

JSON lines are one object a line. CSV has a header line with the names of the fields in any order, and cells with a comma, a line
break or a quote in them stand in quotes. Both are UTF-8; which of them a file is, is told by its content.`,
		Example: `  neticket shows import --dry-run shows.csv
  neticket shows import shows.jsonl`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []cobra.Completion{"csv", "jsonl", "ndjson", "json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(_ *cobra.Command, args []string) error {
			r.file, r.format = args[0], showlist.Format(format)
			if format != "" && !slices.Contains(showlist.Formats(), r.format) {
				return fmt.Errorf("--format must be %s or %s, not %q", showlist.CSV, showlist.JSONLines, format)
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error { return t.importShows(ctx, r) }),
	}
	cmd.Flags().StringVar(&format, "format", "", "csv or jsonl, whatever it looks like")
	cmd.Flags().BoolVar(&r.dryRun, "dry-run", false, "check the file alone; no server is asked")
	addJSONFlag(cmd, &r.asJSON)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"csv", "jsonl"}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return cmd
}

// imported is the result of an import.
type imported struct {
	Shows   int              `json:"shows"` // that are good
	FirstID int64            `json:"first_id,omitzero"`
	LastID  int64            `json:"last_id,omitzero"` // the ids between may have gaps
	DryRun  bool             `json:"dry_run"`
	Faults  []showlist.Fault `json:"faults"`       // the first of them
	Total   int              `json:"faults_total"` // of all
}

func (t tool) importShows(ctx context.Context, r importRequest) error {
	result := imported{DryRun: r.dryRun, Faults: []showlist.Fault{}}
	list, err := t.readShows(r)
	if faults, ok := errors.AsType[*showlist.Faults](err); ok {
		if r.asJSON {
			result.Faults, result.Total = faults.List, faults.Total
			return errors.Join(t.printJSON(result), fmt.Errorf("nothing was added: %w", faults))
		}
		return tellFaults(r.file, faults)
	}
	if err != nil {
		return err
	}
	result.Shows = len(list)
	if !r.dryRun {
		err := t.with(t.environ, func(s *system.System) error {
			if err := database.CheckSchema(ctx, s.DB); err != nil {
				return err
			}
			ids, err := s.ImportShows(ctx, list)
			if err == nil {
				result.FirstID, result.LastID = ids[0], ids[len(ids)-1]
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	switch {
	case r.asJSON:
		return t.printJSON(result)
	case r.dryRun:
		_, err = fmt.Fprintf(t.out, "All of %d shows are good. Nothing was added (--dry-run).\n", result.Shows)
	default:
		_, err = fmt.Fprintf(t.out, "%d shows were added, with the ids %d to %d.\n", result.Shows, result.FirstID, result.LastID)
	}
	return err
}

func (t tool) readShows(r importRequest) ([]showlist.Show, error) {
	from := t.in
	if r.file != "-" {
		file, err := os.Open(r.file)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	return showlist.Read(from, r.format)
}

// toldFaults is how many faults are printed: nobody reads more before he mends the first.
const toldFaults = 50

// tellFaults returns an error that names each fault, as compilers do.
func tellFaults(file string, faults *showlist.Faults) error {
	var text strings.Builder
	fmt.Fprintf(&text, "nothing was added: %v", faults)
	told := faults.List[:min(len(faults.List), toldFaults)]
	for _, f := range told {
		fmt.Fprintf(&text, "\n%s:%v", file, f)
	}
	if more := faults.Total - len(told); more > 0 {
		fmt.Fprintf(&text, "\nand %d more", more)
	}
	return errors.New(text.String())
}
