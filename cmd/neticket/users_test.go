package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func TestCreateAdmin(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	if status, _, logs := c.run(t, "users", "create-admin", "--email", "a@b.test", "--name", "A"); status != 1 || !strings.Contains(logs, "neticket migrate") {
		t.Errorf("without a schema: %d, %s", status, logs)
	}
	rig := systemtest.Unguarded(t, c.servers)
	accounts := account.New(rig.DB, rig.Log, time.Now)
	customer, err := accounts.SignUp(t.Context(), "kim@example.com", "correct horse", "Kim")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		in, email, name string
		says            string
	}{
		"short password":       {"1234567\n", "lee@example.com", "Lee", "password: must have at least 8 characters"},
		"long password":        {strings.Repeat("x", 201) + "\n", "lee@example.com", "Lee", "password: must have at most 200 characters"},
		"endless password":     {strings.Repeat("x", 1<<20), "lee@example.com", "Lee", "password: must have at most 200 characters"},
		"no password":          {"", "lee@example.com", "Lee", "password: must have at least 8 characters"},
		"no email":             {"battery staple\n", "lee", "Lee", "email: must be an email address"},
		"no name":              {"battery staple\n", "lee@example.com", " ", "name: must not be empty"},
		"the email is taken":   {"battery staple\n", "Kim@Example.com", "Kim", "the email address has an account already: make it an admin's with --promote"},
		"everything is wrong":  {"\n", "", " ", "--email and --name"},
		"what is wrong at all": {"1\n", "lee", " ", "name: must not be empty"},
	} {
		c.in = tt.in
		status, out, logs := c.run(t, "users", "create-admin", "--email", tt.email, "--name", tt.name)
		if status == 0 || out != "" || !strings.Contains(logs, tt.says) || strings.Contains(logs, "battery") {
			t.Errorf("%s: %d, %q, %q; want %q", name, status, out, logs, tt.says)
		}
	}

	c.in = "battery staple\r\nsomething else\n"
	if out := c.mustRun(t, "users", "create-admin", "--email", "Lee@Example.com", "--name", "이순신"); out != "lee@example.com (이순신) is an admin.\n" {
		t.Errorf("printed %q", out)
	}
	if user, err := accounts.LogIn(t.Context(), "lee@example.com", "battery staple", "192.0.2.1"); err != nil || user.Role != account.Admin {
		t.Errorf("%+v, %v", user, err)
	}

	c.in = "" // none is needed
	for range 2 {
		if out := c.mustRun(t, "users", "create-admin", "--email", "kim@example.com", "--promote"); out != "kim@example.com (Kim) is an admin.\n" {
			t.Errorf("printed %q", out)
		}
	}
	promoted, err := accounts.LogIn(t.Context(), "kim@example.com", "correct horse", "192.0.2.1")
	if err != nil || promoted.Role != account.Admin || promoted.ID != customer.ID || promoted.Generation != customer.Generation+1 {
		t.Errorf("%+v, %v", promoted, err)
	}
	if status, _, logs := c.run(t, "users", "create-admin", "--email", "new@example.com", "--promote"); status != 1 || !strings.Contains(logs, account.ErrNotFound.Error()) {
		t.Errorf("promote nobody: %d, %q", status, logs)
	}
	c.in = "battery staple"
	c.mustRun(t, "users", "create-admin", "--email", "new@example.com", "--name", "New", "--promote")
	lee, err := accounts.LogIn(t.Context(), "lee@example.com", "battery staple", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	made, err := accounts.LogIn(t.Context(), "new@example.com", "battery staple", "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("[user.create_admin user:%d user.promote user:%d user.create_admin user:%d]", lee.ID, customer.ID, made.ID)
	if got := fmt.Sprint(deeds(t, rig)); got != want {
		t.Errorf("the audit log has %s, want %s", got, want)
	}
}
