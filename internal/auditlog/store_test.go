package auditlog

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// openStore returns a log in a database of the test's own.
func openStore(t *testing.T) *Store {
	t.Helper()
	db, err := database.Open(servertest.MySQL(t), 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return NewStore(db)
}

// add has a deed done: its transaction commits unless fail is an error.
func (s *Store) add(t *testing.T, d Deed, object string, details any, fail error) {
	t.Helper()
	err := database.Transact(t.Context(), s.db, func(tx *sql.Tx) error {
		if err := s.Add(t.Context(), tx, d, object, details); err != nil {
			t.Fatal(err)
		}
		return fail
	})
	if !errors.Is(err, fail) {
		t.Fatal(err)
	}
}

// page returns the objects of a page.
func (s *Store) page(t *testing.T, before int64, limit int) (objects string, last int64, more bool) {
	t.Helper()
	records, more, err := s.Page(t.Context(), before, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		objects += " " + r.Object
		last = r.ID
	}
	return strings.TrimSpace(objects), last, more
}

func TestAdd(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := Actor{UserID: 7, IP: "2001:db8::1", RequestID: "r-1"}
	s.add(t, NewDeed(admin, UpdateShow), Object("show", 42), map[string]Change{"title": {"A", "백조 🦢"}}, nil)
	s.add(t, NewDeed(Actor{}, DistrustStock), "stock", nil, nil)
	got, more, err := s.Page(t.Context(), 0, 10)
	want := []Record{
		{Action: DistrustStock, Object: "stock", Details: json.RawMessage(`{}`)},
		{By: admin, Action: UpdateShow, Object: "show:42", Details: json.RawMessage(`{"title":{"before":"A","after":"백조 🦢"}}`)},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Record{}, "ID", "At")); err != nil || more || diff != "" {
		t.Errorf("%v, more %v: %s", err, more, diff)
	}
	if at := got[0].At; time.Since(at).Abs() > time.Minute || at.Location() != time.UTC || got[0].ID <= got[1].ID {
		t.Errorf("at %v, ids %d and %d", at, got[0].ID, got[1].ID)
	}
}

// What was not done leaves nothing; what is done again, as nobody heard of its commit, leaves one record, as it was at first.
func TestOneDeedLeavesOneRecord(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	d := NewDeed(Actor{UserID: 7}, ResyncStock)
	s.add(t, d, "rolled back", nil, errors.New("no"))
	if got, _, _ := s.page(t, 0, 10); got != "" {
		t.Errorf("recorded %s", got)
	}
	s.add(t, d, "first", nil, nil)
	s.add(t, d, "second", nil, nil)
	s.add(t, NewDeed(Actor{UserID: 7}, ResyncStock), "another", nil, nil)
	if got, _, _ := s.page(t, 0, 10); got != "another first" {
		t.Errorf("recorded %s", got)
	}
	// Both transactions are open at once.
	var both sync.WaitGroup
	d = NewDeed(Actor{}, ResyncStock)
	for range 2 {
		both.Go(func() { s.add(t, d, "at once", nil, nil) })
	}
	both.Wait()
	if got, _, _ := s.page(t, 0, 10); got != "at once another first" {
		t.Errorf("recorded %s", got)
	}
}

// No deed fails because of what is to be told of it.
func TestAddBounds(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	long := strings.Repeat("예", 100_000)
	s.add(t, NewDeed(Actor{UserID: 7, IP: long, RequestID: long}, SetImage), "show:1", map[string]string{"a": long, "b": long, "c": "\x00\xff\\'"}, nil)
	got, _, err := s.Page(t.Context(), 0, 1)
	if err != nil || len(got) != 1 || got[0].By.IP != long[:63] || got[0].By.RequestID != long[:63] || !json.Valid(got[0].Details) {
		t.Errorf("%v: %.300v", err, got)
	}

	// The control: the column takes no more, and says so.
	_, err = s.db.ExecContext(t.Context(), "UPDATE audit_log SET details = ?", long)
	if err == nil {
		t.Error("the column takes everything, so the test shows nothing")
	}
}

// Pages follow each other, whatever is added meanwhile.
func TestPages(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for i := range 5 {
		s.add(t, NewDeed(Actor{}, CreateShow), fmt.Sprint(i), nil, nil)
	}
	first, last, more := s.page(t, 0, 2)
	s.add(t, NewDeed(Actor{}, CreateShow), "new", nil, nil)
	second, next, moreStill := s.page(t, last, 2)
	third, _, evenMore := s.page(t, next, 2)
	if got := fmt.Sprint(first, more, " ", second, moreStill, " ", third, evenMore); got != "4 3true 2 1true 0false" {
		t.Error(got)
	}
	if got, _, more := s.page(t, 0, 6); got != "new 4 3 2 1 0" || more {
		t.Errorf("all on a page: %s, more %v", got, more)
	}
}
