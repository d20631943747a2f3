package account

import (
	"errors"
	"fmt"
	"testing"
)

func TestCreateBulk(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	emails := make([]string, bulk+1)
	for i := range emails {
		emails[len(emails)-1-i] = fmt.Sprintf("load-%d@example.com", i)
	}
	users, err := a.CreateBulk(t.Context(), emails, "Load test")
	if err != nil || len(users) != len(emails) {
		t.Fatalf("%d users, %v", len(users), err)
	}
	seen := map[int64]bool{}
	for i, u := range users {
		if u.Email != emails[i] || u.Role != Customer || seen[u.ID] {
			t.Fatalf("user %d: %+v", i, u)
		}
		seen[u.ID] = true
	}
	if u, err := a.User(t.Context(), users[7].ID); err != nil || u != users[7] {
		t.Errorf("stored as %+v, %v; want %+v", u, err, users[7])
	}
	for _, guess := range []string{"", password} {
		if _, err := a.LogIn(t.Context(), emails[0], guess, address); !errors.Is(err, ErrBadCredentials) {
			t.Errorf("log in with %q: %v", guess, err)
		}
	}
	if _, err := a.CreateBulk(t.Context(), []string{"new@example.com", emails[3]}, "Load test"); !errors.Is(err, ErrEmailTaken) {
		t.Errorf("an email again: %v", err)
	}
	if _, err := a.CreateBulk(t.Context(), []string{"new@example.com"}, "Load test"); err != nil {
		t.Errorf("an email whose batch was refused: %v", err)
	}
	if users, err := a.CreateBulk(t.Context(), nil, "Load test"); err != nil || len(users) != 0 {
		t.Errorf("none: %v, %v", users, err)
	}
}
