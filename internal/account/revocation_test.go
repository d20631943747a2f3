package account

import (
	"context"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// A process learns within a second what another one did; the control does not, as nobody tells it.
func TestOtherProcessesLearn(t *testing.T) {
	t.Parallel()
	a := accounts(t, newClock())
	u := signUp(t, a)
	old := Claims{UserID: u.ID, Generation: u.Generation}
	other, control := accountsOn(a.store.db, newClock()), accountsOn(a.store.db, newClock())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- other.Revocations.Run(ctx) }()
	if _, err := a.ChangePassword(t.Context(), u.ID, password, wanted, address); err != nil {
		t.Fatal(err)
	}
	if !a.Revocations.Revoked(old) {
		t.Error("the process that changed the password does not know it")
	}
	servertest.Eventually(t, 10*time.Second, "the other process refuses the old token", func() bool { return other.Revocations.Revoked(old) })
	if other.Revocations.Revoked(Claims{UserID: u.ID, Generation: 1}) || other.Revocations.Revoked(Claims{UserID: u.ID + 1}) {
		t.Error("tokens that hold are refused")
	}
	if control.Revocations.Revoked(old) {
		t.Error("control: known without being read")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What is known holds while MySQL is away, and what happened meanwhile is learnt when it is back.
func TestRevocationsWithoutMySQL(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := accounts(t, c)
	first := signUp(t, a)
	second, err := a.SignUp(t.Context(), "lee@example.com", password, "Lee")
	if err != nil {
		t.Fatal(err)
	}
	revoke := func(u User) {
		t.Helper()
		if ok, err := a.store.nextGeneration(t.Context(), u, "role = ?", Customer, unnoted); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	r := accountsOn(a.store.db, c).Revocations
	revoke(first)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := r.store.db
	if r.store.db, err = database.Open("nobody@tcp(127.0.0.1:1)/nothing", 1); err != nil {
		t.Fatal(err)
	}
	if err := r.Refresh(t.Context()); err == nil {
		t.Fatal("MySQL is not away")
	}
	if !r.Revoked(Claims{UserID: first.ID}) {
		t.Error("what was known is forgotten")
	}
	revoke(second)
	c.now = c.now.Add(2 * time.Hour)
	r.store.db = db
	if err := r.Refresh(t.Context()); err != nil || !r.Revoked(Claims{UserID: second.ID}) {
		t.Errorf("what happened while MySQL was away is not known: %v", err)
	}
}

func TestRevocationsForget(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := accounts(t, c)
	u := signUp(t, a)
	r := accountsOn(a.store.db, c).Revocations
	if _, err := a.ChangePassword(t.Context(), u.ID, password, wanted, address); err != nil {
		t.Fatal(err)
	}
	if err := r.Refresh(t.Context()); err != nil || len(r.users) != 1 {
		t.Fatalf("%v, %v", r.users, err)
	}
	r.add(map[int64]int64{u.ID: 0})
	if r.users[u.ID].generation != 1 {
		t.Error("an old reading undid a newer one")
	}
	if _, err := a.store.db.ExecContext(t.Context(), "UPDATE users SET tokens_revoked_at = UTC_TIMESTAMP(3) - INTERVAL ? SECOND",
		int64(revocationsKept.Seconds())+1); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(revocationsKept)
	for range revocationsReload {
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.users) != 0 {
		t.Errorf("remembers %v, of which no token can be left", r.users)
	}
}

func BenchmarkRevoked(b *testing.B) {
	r := newRevocations(store{}, nil, time.Now)
	for id := range int64(10_000) {
		r.add(map[int64]int64{id: 1})
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for id := int64(0); p.Next(); id++ {
			r.Revoked(Claims{UserID: id % 20_000})
		}
	})
}
