package account

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

const (
	email    = "kim@example.com"
	password = "correct horse"
	address  = "192.0.2.1"
)

// accounts returns Accounts over a database of their own, with a hash that is cheap.
func accounts(t *testing.T, c *clock) *Accounts {
	t.Helper()
	db, err := database.Open(servertest.MySQL(t), 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return accountsOn(db, c)
}

// accountsOn returns Accounts as another process on the same database has them.
func accountsOn(db *sql.DB, c *clock) *Accounts {
	a := New(db, slog.New(slog.DiscardHandler), c.Now)
	a.hasher.cost = cost{memory: 8, time: 1, threads: 1}
	return a
}

func TestSignUpAndLogIn(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := accounts(t, c)
	got, err := a.SignUp(t.Context(), " Kim@Example.com ", password, " 김철수 😀 ")
	if err != nil {
		t.Fatal(err)
	}
	want := User{ID: got.ID, Email: email, Name: "김철수 😀", Role: Customer, CreatedAt: c.now}
	if diff := cmp.Diff(want, got); diff != "" || got.ID <= 0 {
		t.Fatalf("-want +got\n%s", diff)
	}
	byID, err := a.User(t.Context(), got.ID)
	if diff := cmp.Diff(want, byID); err != nil || diff != "" {
		t.Errorf("%v -want +got\n%s", err, diff)
	}
	byLogin, err := a.LogIn(t.Context(), "KIM@example.com", password, address)
	if diff := cmp.Diff(want, byLogin); err != nil || diff != "" {
		t.Errorf("%v -want +got\n%s", err, diff)
	}
	if _, err := a.User(t.Context(), got.ID+1); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown user: %v", err)
	}
	if _, err := a.SignUp(t.Context(), strings.ToUpper(email), password, "Lee"); !errors.Is(err, ErrEmailTaken) {
		t.Errorf("second sign-up: %v", err)
	}
	for name, try := range map[string][2]string{
		"wrong password": {email, "wrong horse"},
		"unknown user":   {"lee@example.com", password},
		"no address":     {"lee", password},
		"long password":  {email, strings.Repeat("x", maxPasswordBytes+1)},
		"no password":    {email, ""},
	} {
		if _, err := a.LogIn(t.Context(), try[0], try[1], name); !errors.Is(err, ErrBadCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignUpAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ prepare, want string }{
		"the unique key decides": {"DO 0", "1 of 8"},
		"control: without it":    {"ALTER TABLE users DROP KEY email", "8 of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accounts(t, newClock())
			if _, err := a.store.db.ExecContext(t.Context(), tt.prepare); err != nil {
				t.Fatal(err)
			}
			errs := make([]error, 8)
			var running sync.WaitGroup
			for i := range errs {
				running.Go(func() { _, errs[i] = a.SignUp(t.Context(), email, password, fmt.Sprint("Kim ", i)) })
			}
			running.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if !errors.Is(err, ErrEmailTaken) {
					t.Error(err)
				}
			}
			if got := fmt.Sprintf("%d of %d", won, len(errs)); got != tt.want {
				t.Errorf("%s sign-ups won, want %s", got, tt.want)
			}
		})
	}
}

func TestEnsure(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	users := make([]User, 4)
	var running sync.WaitGroup
	for i := range users {
		running.Go(func() {
			var err error
			if users[i], err = a.Ensure(t.Context(), "Kim@example.com", password, "Kim", Admin); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if users[0].Role != Admin || users[0].Email != email {
		t.Errorf("%+v", users[0])
	}
	again, err := a.Ensure(t.Context(), email, "another password", "Another", Customer)
	for _, u := range append(users, again) {
		if diff := cmp.Diff(users[0], u); err != nil || diff != "" {
			t.Errorf("%v -want +got\n%s", err, diff)
		}
	}
	if _, err := a.Ensure(t.Context(), "", "", "", Customer); err == nil {
		t.Error("an account without an email address")
	}
}

func TestTooManyAttempts(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := accounts(t, c)
	if _, err := a.SignUp(t.Context(), email, password, "Kim"); err != nil {
		t.Fatal(err)
	}
	var tried atomic.Int32
	var running sync.WaitGroup
	for range 20 { // at once, which gains nothing
		running.Go(func() {
			if _, err := a.LogIn(t.Context(), email, "wrong horse", address); errors.Is(err, ErrBadCredentials) {
				tried.Add(1)
			}
		})
	}
	running.Wait()
	if n := tried.Load(); n != freeAttempts {
		t.Errorf("%d passwords were tried, want %d", n, freeAttempts)
	}
	_, err := a.LogIn(t.Context(), "KIM@example.com", password, address)
	if tooMany, ok := errors.AsType[*TooManyAttemptsError](err); !ok || tooMany.RetryAfter != firstDelay {
		t.Errorf("error %v", err)
	}
	if _, err := a.LogIn(t.Context(), email, password, "192.0.2.2"); err != nil {
		t.Errorf("from another address: %v", err)
	}
	c.now = c.now.Add(firstDelay)
	for range 2 * freeAttempts { // who knows the password never waits
		if _, err := a.LogIn(t.Context(), email, password, address); err != nil {
			t.Errorf("after the delay: %v", err)
		}
	}
}

// Neither one address with many accounts nor many addresses with one account can guess on and on; unknown accounts count alike.
func TestTooManyAttemptsOfManyKinds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from func(i int) (email, address string)
		free int
	}{
		"many accounts, known or not": {func(i int) (string, string) { return fmt.Sprintf("kim%d@example.com", i), address }, addressRule().free},
		"many addresses":              {func(i int) (string, string) { return email, fmt.Sprintf("198.51.%d.%d", i/256, i%256) }, accountRule().free},
		"many addresses, no account":  {func(i int) (string, string) { return "lee@example.com", fmt.Sprintf("198.51.100.%d", i) }, accountRule().free},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accounts(t, newClock())
			signUp(t, a)
			tried := 0
			for i := range 2 * tt.free {
				who, where := tt.from(i)
				_, err := a.LogIn(t.Context(), who, "wrong horse", where)
				if errors.Is(err, ErrBadCredentials) {
					tried++
				} else if _, ok := errors.AsType[*TooManyAttemptsError](err); !ok {
					t.Fatal(err)
				}
			}
			if tried != tt.free {
				t.Errorf("%d passwords were tried, want %d", tried, tt.free)
			}
		})
	}
}

// Logins that are refused because too many wait are no attempts.
func TestLogInWhenBusy(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	u := signUp(t, a)
	for range cap(a.hasher.queue) {
		a.hasher.queue <- struct{}{}
	}
	for range 2 * freeAttempts {
		if _, err := a.LogIn(t.Context(), email, password, address); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		if _, err := a.ChangePassword(t.Context(), u.ID, password, wanted, address); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		if _, err := a.SignUp(t.Context(), "lee@example.com", password, "Lee"); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
	}
	<-a.hasher.queue
	if _, err := a.LogIn(t.Context(), email, password, address); err != nil {
		t.Error(err)
	}
}

func TestLogInHashesAgain(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	u, err := a.SignUp(t.Context(), email, password, "Kim")
	if err != nil {
		t.Fatal(err)
	}
	a.hasher.cost.time = 2
	if _, err := a.LogIn(t.Context(), email, "wrong horse", address); !errors.Is(err, ErrBadCredentials) {
		t.Fatal(err)
	}
	if hash := storedHash(t, a.store.db, u.ID); !strings.Contains(hash, "t=1") {
		t.Errorf("a wrong password changed the hash to %s", hash)
	}
	for range 2 {
		if _, err := a.LogIn(t.Context(), email, password, address); err != nil {
			t.Fatal(err)
		}
		if hash := storedHash(t, a.store.db, u.ID); !strings.Contains(hash, "t=2") {
			t.Errorf("the hash is still %s", hash)
		}
	}
}

func storedHash(t *testing.T, db *sql.DB, id int64) (hash string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT password_hash FROM users WHERE id = ?", id).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestTooManyAttemptsErrorSaysWhen(t *testing.T) {
	t.Parallel()
	if text := (&TooManyAttemptsError{2 * time.Second}).Error(); !strings.Contains(text, "2s") {
		t.Error(text)
	}
}
