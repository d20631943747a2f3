package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/system"
)

const maxTokens = 1_000_000

func (t tool) tokensCommand() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use: "tokens --count N", Short: "Make N customers and print a login token per line, for load tests", Args: cobra.NoArgs,
		Long: `Makes N new customers and prints a login token of each, one per line; the tokens hold for 24 hours. The customers are called
load-000001-<run>@neticket.test and so on, where <run> is another one each time. They have no password, so nobody can
log in as one of them.

NETICKET_TOKEN_SECRET must be the one of the API.`,
		Example: "  neticket tokens --count 50000 > tokens.txt",
		PreRunE: func(*cobra.Command, []string) error {
			if count < 1 || count > maxTokens {
				return fmt.Errorf("--count must be 1 to %d", maxTokens)
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error { return t.tokens(ctx, s, count) })
		}),
	}
	cmd.Flags().IntVar(&count, "count", 0, "how many customers to make")
	return cmd
}

func (t tool) tokens(ctx context.Context, s *system.System, count int) error {
	if len(s.Config.TokenSecrets) == 0 {
		return errors.New("NETICKET_TOKEN_SECRET is required: the one of the API")
	}
	signer, err := account.NewSigner(s.Config.TokenSecrets, account.TokenLife, time.Now)
	if err != nil {
		return err
	}
	if err := database.CheckSchema(ctx, s.DB); err != nil {
		return err
	}
	run := strings.ToLower(rand.Text()[:8])
	emails := make([]string, count)
	for i := range emails {
		emails[i] = fmt.Sprintf("load-%06d-%s@neticket.test", i+1, run)
	}
	users, err := account.New(s.DB, s.Log, time.Now).CreateBulk(ctx, emails, "Load test")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(t.out)
	for _, user := range users {
		token, _ := signer.Issue(user)
		_, _ = fmt.Fprintln(out, token) // Flush returns the first error
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print tokens: %w", err)
	}
	return nil
}
