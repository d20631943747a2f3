package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/system"
)

// maxLine is more than the longest password has, in bytes.
const maxLine = 4096

func (t tool) usersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "users", Short: "Look after people's accounts", Args: cobra.NoArgs,
		Long: "Looks after people's accounts. Customers sign up by themselves; the first admin is made here.",
		RunE: help,
	}
	cmd.AddCommand(t.createAdminCommand())
	return cmd
}

func (t tool) createAdminCommand() *cobra.Command {
	var email, name string
	var promote bool
	cmd := &cobra.Command{
		Use: "create-admin --email EMAIL --name NAME", Short: "Make an account that may use the admin's part", Args: cobra.NoArgs,
		Long: `Makes an account that may use the admin's part of the API. The password is asked for, or read from standard input, one line, where
that is no terminal. It is refused where a sign-up would refuse it.

An email address that has an account already is an error, unless --promote is given: then that account becomes an admin's, with the
password and the name that it has, and its logins end.`,
		Example: "  neticket users create-admin --email kim@example.com --name Kim",
		PreRunE: func(*cobra.Command, []string) error {
			if email == "" || name == "" && !promote {
				return errors.New("say who it is: --email and --name")
			}
			return nil
		},
		RunE: doing(func(ctx context.Context) error {
			return t.with(t.environ, func(s *system.System) error { return t.createAdmin(ctx, s, email, name, promote) })
		}),
	}
	cmd.Flags().StringVar(&email, "email", "", "the email address to log in with")
	cmd.Flags().StringVar(&name, "name", "", "the person's name")
	cmd.Flags().BoolVar(&promote, "promote", false, "make an account that is there already an admin's")
	return cmd
}

func (t tool) createAdmin(ctx context.Context, s *system.System, email, name string, promote bool) error {
	if err := database.CheckSchema(ctx, s.DB); err != nil {
		return err
	}
	accounts := account.New(s.DB, s.Log, time.Now)
	if promote {
		user, err := accounts.Promote(ctx, email, s.NoteUser(auditlog.PromoteUser))
		if err == nil {
			_, err = fmt.Fprintf(t.out, "%s (%s) is an admin.\n", user.Email, user.Name)
			return err
		}
		if !errors.Is(err, account.ErrNotFound) || name == "" {
			return err
		}
	}
	password, err := t.password(ctx)
	if err != nil {
		return err
	}
	user, err := accounts.Create(ctx, email, password, name, account.Admin, s.NoteUser(auditlog.CreateAdmin))
	if errors.Is(err, account.ErrEmailTaken) {
		return fmt.Errorf("%w: make it an admin's with --promote", err)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "%s (%s) is an admin.\n", user.Email, user.Name)
	return err
}

// password asks for a password, where a person can answer, or reads a line.
func (t tool) password(ctx context.Context) (string, error) {
	if tty, ok := terminal(t.in); ok {
		return tty.askTwice(ctx, t.logs)
	}
	line, err := bufio.NewReader(io.LimitReader(t.in, maxLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
