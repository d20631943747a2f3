package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/system"
)

func (t tool) seedCommand() *cobra.Command {
	var demo bool
	cmd := &cobra.Command{
		Use: "seed --demo", Short: "Add demo accounts and 24 demo shows", Args: cobra.NoArgs,
		Long: `Adds, unless they are there, the accounts admin@neticket.test (password admin-demo-pass) and customer@neticket.test (password
customer-demo-pass), and 24 shows: open, nearly gone, sold out, opening in 2 minutes, over. What is gone of them was really
booked, so MySQL and Redis must both be there. Never do this where strangers can log in.`,
		PreRunE: func(*cobra.Command, []string) error {
			if !demo {
				return errors.New("say what to add: --demo")
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error {
			if err := t.seed(ctx, t.environ); err != nil {
				return err
			}
			admin, customer := demoLogins()
			_, err := fmt.Fprintf(t.out, "The demo data is there. Log in as %s / %s or %s / %s.\n",
				admin.email, admin.password, customer.email, customer.password)
			return err
		}),
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "add the demo data")
	return cmd
}

// seed adds what is missing of the demo data.
func (t tool) seed(ctx context.Context, env environ) error {
	return t.with(env, func(s *system.System) error {
		if err := s.Check(ctx, ops.NewHealth()); err != nil {
			return err
		}
		accounts := account.New(s.DB, s.Log, time.Now)
		adminLogin, customerLogin := demoLogins()
		if _, err := adminLogin.ensure(ctx, accounts); err != nil {
			return err
		}
		customer, err := customerLogin.ensure(ctx, accounts)
		if err != nil {
			return err
		}
		shows, err := ensureDemoShows(ctx, s, time.Now())
		if err != nil {
			return err
		}
		return sellDemoShows(ctx, s, accounts, customer, shows)
	})
}

// demoAccount is an account of the demo.
type demoAccount struct {
	email, password, name string
	role                  account.Role
}

// demoLogins are those that everyone may know.
func demoLogins() (admin, customer demoAccount) {
	return demoAccount{"admin@neticket.test", "admin-demo-pass", "Demo Admin", account.Admin},
		demoAccount{"customer@neticket.test", "customer-demo-pass", "김데모", account.Customer}
}

func (a demoAccount) ensure(ctx context.Context, accounts *account.Accounts) (account.User, error) {
	user, err := accounts.Ensure(ctx, a.email, a.password, a.name, a.role)
	if err != nil {
		return account.User{}, fmt.Errorf("make the account %s: %w", a.email, err)
	}
	return user, nil
}
