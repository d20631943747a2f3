package account

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/invalid"
)

const wanted = "battery staple"

func signUp(t *testing.T, a *Accounts) User {
	t.Helper()
	u, err := a.SignUp(t.Context(), email, password, "Kim")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	u := signUp(t, a)
	for name, tt := range map[string]struct {
		id              int64
		current, wanted string
		want            error
		field           string
	}{
		"wrong password": {u.ID, "wrong horse", wanted, ErrBadCredentials, ""},
		"no password":    {u.ID, "", wanted, ErrBadCredentials, ""},
		"long password":  {u.ID, strings.Repeat("x", maxPasswordBytes+1), wanted, ErrBadCredentials, ""},
		"unknown user":   {u.ID + 1, password, wanted, ErrNotFound, ""},
		"short new":      {u.ID, password, "1234567", nil, "new too_short"},
		"long new":       {u.ID, password, strings.Repeat("x", 201), nil, "new too_long"},
		"both are bad":   {u.ID, "wrong horse", "", nil, "new too_short"},
	} {
		_, err := a.ChangePassword(t.Context(), tt.id, tt.current, tt.wanted, name)
		if bad, ok := errors.AsType[*invalid.Error](err); ok != (tt.field != "") || ok && bad.Fields[0].Field+" "+bad.Fields[0].Code != tt.field {
			t.Errorf("%s: %v", name, err)
		} else if !ok && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if got, err := a.LogIn(t.Context(), email, password, address); err != nil || got != u {
		t.Fatalf("a change that was refused did something: %+v, %v", got, err)
	}

	got, err := a.ChangePassword(t.Context(), u.ID, password, wanted, address)
	want := u
	want.Generation = 1
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v -want +got\n%s", err, diff)
	}
	if _, err := a.LogIn(t.Context(), email, password, address); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("the old password: %v", err)
	}
	byLogin, err := a.LogIn(t.Context(), email, wanted, address)
	if diff := cmp.Diff(want, byLogin); err != nil || diff != "" {
		t.Errorf("the new password: %v -want +got\n%s", err, diff)
	}
}

// Guessing by changing is as slow as by logging in, and counts as the same.
func TestChangePasswordIsThrottled(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	u := signUp(t, a)
	var tried atomic.Int32
	var running sync.WaitGroup
	for i := range 20 {
		running.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = a.LogIn(t.Context(), email, "wrong horse", address)
			} else {
				_, err = a.ChangePassword(t.Context(), u.ID, "wrong horse", wanted, address)
			}
			if errors.Is(err, ErrBadCredentials) {
				tried.Add(1)
			}
		})
	}
	running.Wait()
	_, err := a.ChangePassword(t.Context(), u.ID, password, wanted, address)
	if tooMany, ok := errors.AsType[*TooManyAttemptsError](err); !ok || tooMany.RetryAfter <= 0 || tried.Load() != freeAttempts {
		t.Errorf("%v after %d guesses, want %d", err, tried.Load(), freeAttempts)
	}
}

// A login that read the old password is not worth more than that, even though its token is issued after the change.
func TestLogInDuringChange(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := accounts(t, c)
	u := signUp(t, a)
	slow := accountsOn(a.store.db, c)
	read, changed := make(chan struct{}), make(chan struct{})
	derive := slow.hasher.derive
	slow.hasher.derive = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		close(read)
		<-changed
		return derive(password, salt, time, memory, threads, keyLen)
	}
	var late User
	var running sync.WaitGroup
	running.Go(func() {
		var err error
		if late, err = slow.LogIn(t.Context(), email, password, address); err != nil {
			t.Error(err)
		}
	})
	<-read
	now, err := a.ChangePassword(t.Context(), u.ID, password, wanted, address)
	close(changed)
	running.Wait()
	if err != nil {
		t.Fatal(err)
	}
	s := signer(t, c, newSecret) // all in one millisecond: the clock stands still
	for name, tt := range map[string]struct {
		u    User
		want bool
	}{"before": {u, true}, "late": {late, true}, "after": {now, false}} {
		token, _ := s.Issue(tt.u)
		claims, err := s.Verify(token)
		if got := a.Revocations.Revoked(claims); err != nil || got != tt.want || !claims.IssuedAt.Equal(c.now) {
			t.Errorf("%s: revoked %v, want %v; %+v, %v", name, got, tt.want, claims, err)
		}
	}
}

func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testing.T, store, User) (bool, error)
		want   string
	}{
		"the generation decides": {func(t *testing.T, s store, u User) (bool, error) {
			return s.nextGeneration(t.Context(), u, "password_hash = ?", "x", unnoted)
		}, "1 of 8"},
		"control: without it": {func(t *testing.T, s store, u User) (bool, error) {
			_, err := s.db.ExecContext(t.Context(), "UPDATE users SET token_generation = token_generation + 1 WHERE id = ?", u.ID)
			return err == nil, err
		}, "8 of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := accounts(t, newClock())
			u := signUp(t, a)
			var won atomic.Int32
			var running sync.WaitGroup
			for range 8 {
				running.Go(func() {
					ok, err := tt.change(t, a.store, u)
					if err != nil {
						t.Error(err)
					}
					if ok {
						won.Add(1)
					}
				})
			}
			running.Wait()
			if got := fmt.Sprintf("%d of 8", won.Load()); got != tt.want {
				t.Errorf("%s changes won, want %s", got, tt.want)
			}
		})
	}
}
