package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// notes returns a note that stores whom it is told of as further users, and how many of those there are.
func notes(t *testing.T, a *Accounts, fail error) (note Note, count func() int) {
	return func(ctx context.Context, tx *sql.Tx, u User) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO users (email, password_hash, name, role, created_at) VALUES (?, '', 'note', ?, NOW(3))",
				fmt.Sprintf("note-%d@example.com", u.ID), u.Role)
			return errors.Join(err, fail)
		}, func() (n int) {
			t.Helper()
			if err := a.store.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM users WHERE name = 'note' AND role = 'admin'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
}

// What is done to a user and its note are there both, or neither.
func TestNotes(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	customer := signUp(t, a)
	no := errors.New("no")
	failing, count := notes(t, a, no)
	note, _ := notes(t, a, nil)

	if _, err := a.Create(t.Context(), "lee@example.com", password, "Lee", Admin, failing); !errors.Is(err, no) {
		t.Errorf("create: %v", err)
	}
	if _, err := a.Promote(t.Context(), email, failing); !errors.Is(err, no) {
		t.Errorf("promote: %v", err)
	}
	if got, err := a.User(t.Context(), customer.ID); err != nil || got != customer || count() != 0 {
		t.Errorf("what was not noted was done: %+v, %v; %d notes", got, err, count())
	}
	if _, err := a.Create(t.Context(), email, password, "Kim", Admin, note); !errors.Is(err, ErrEmailTaken) || count() != 0 {
		t.Errorf("create, taken: %v; %d notes", err, count())
	}
	if _, err := a.Promote(t.Context(), "lee@example.com", note); !errors.Is(err, ErrNotFound) || count() != 0 {
		t.Errorf("promote nobody: %v; %d notes", err, count())
	}

	if _, err := a.Create(t.Context(), "lee@example.com", password, "Lee", Admin, note); err != nil || count() != 1 {
		t.Errorf("create: %v; %d notes", err, count())
	}
	for range 2 { // the second time there is nothing to do
		if got, err := a.Promote(t.Context(), email, note); err != nil || got.Role != Admin || got.Generation != 1 || count() != 2 {
			t.Errorf("promote: %+v, %v; %d notes", got, err, count())
		}
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	u := signUp(t, a)
	for _, ids := range [][]int64{{u.ID}, {u.ID, u.ID, 0, u.ID + 99}} {
		got, err := a.Users(t.Context(), ids)
		if diff := cmp.Diff(map[int64]User{u.ID: u}, got); err != nil || diff != "" {
			t.Errorf("%v: %v %s", ids, err, diff)
		}
	}
	if got, err := a.Users(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("of nobody: %v, %v", got, err)
	}
}
