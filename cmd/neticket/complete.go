package main

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/system"
)

// completeWithin is how long somebody who pressed the tab key waits for MySQL.
const completeWithin = 2 * time.Second

// completeShow suggests ids of shows, with their titles, for a command that takes one. Without MySQL it suggests nothing.
func (t tool) completeShow(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 || strings.Trim(typed, "0123456789") != "" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	t.logs = io.Discard // a log would stand in the middle of what is typed
	var ids []cobra.Completion
	err := t.with(t.environ, func(s *system.System) error {
		shows, err := s.Shows.Suggest(ctx, typed)
		for _, show := range shows {
			ids = append(ids, cobra.CompletionWithDesc(strconv.FormatInt(show.ID, 10), show.Title))
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
