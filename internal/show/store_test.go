package show

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/invalid"
)

func openDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := database.Open(servertest.MySQL(t), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

func insert(t *testing.T, db *sql.DB, d Draft) Show {
	t.Helper()
	var show Show
	err := database.Transact(t.Context(), db, func(tx *sql.Tx) (err error) {
		show, err = NewStore(db).Insert(t.Context(), tx, d)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return show
}

func TestStore(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	store := NewStore(db)

	if _, err := store.Get(t.Context(), 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("empty table: got %v, want ErrNotFound", err)
	}
	draft := validDraft()
	draft.Title, draft.ImageAlt = "백조의 호수 🦢", "무대 위의 발레리나"
	inserted := insert(t, db, draft)
	want := Show{
		Title: draft.Title, Venue: draft.Venue, Description: draft.Description, ImageAlt: draft.ImageAlt, Price: draft.Price,
		TimeZone: draft.TimeZone, StartsAt: draft.StartsAt, SalesOpenAt: draft.SalesOpenAt, SalesCloseAt: draft.SalesCloseAt, Version: 1,
	}
	if diff := cmp.Diff(want, inserted, cmpopts.IgnoreFields(Show{}, "ID", "CreatedAt", "UpdatedAt")); diff != "" {
		t.Error(diff)
	}
	if inserted.ID <= 0 || inserted.UpdatedAt.IsZero() || inserted.CreatedAt != inserted.UpdatedAt {
		t.Errorf("id %d, made %v, changed %v", inserted.ID, inserted.CreatedAt, inserted.UpdatedAt)
	}
	got, err := store.Get(t.Context(), inserted.ID)
	if err != nil || got != inserted { // with == because the catalogue compares so
		t.Errorf("got %v, %v, want what was inserted", got, err)
	}

	_, err = db.ExecContext(t.Context(), "UPDATE shows SET updated_at = UTC_TIMESTAMP(3) - INTERVAL 1 HOUR")
	if err != nil {
		t.Fatal(err)
	}
	second := insert(t, db, validDraft())
	_, asOf, err := store.ChangedSince(t.Context(), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if asOf.Before(second.UpdatedAt) || asOf.After(second.UpdatedAt.Add(time.Minute)) {
		t.Errorf("as of %v, want shortly after %v", asOf, second.UpdatedAt)
	}
	for since, want := range map[time.Time]int{
		time.Unix(0, 0):                             2,
		second.UpdatedAt:                            1,
		second.UpdatedAt.Add(time.Millisecond):      0,
		second.UpdatedAt.Add(-30 * time.Minute):     1,
		second.UpdatedAt.Add(-61 * time.Minute):     2,
		second.UpdatedAt.Add(time.Hour * 24 * 3650): 0,
	} {
		shows, _, err := store.ChangedSince(t.Context(), since)
		if err != nil || len(shows) != want {
			t.Errorf("since %v: got %d shows, %v, want %d", since, len(shows), err, want)
		}
	}
}

// What Check lets through, the table holds unchanged.
func TestStoreHoldsTheLargestDraft(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	largest := validDraft()
	four := func(n int) string {
		text := make([]rune, n)
		for i := range text {
			text[i] = '🎻'
		}
		return string(text)
	}
	largest.Title, largest.Venue, largest.ImageAlt, largest.Description = four(maxName), four(maxName), four(maxAlt), four(maxDescription)
	largest.Price = maxPrice
	largest.StartsAt = time.Date(maxYear, 12, 31, 23, 59, 59, 999e6, time.UTC)
	largest.SalesOpenAt = time.Date(minYear, 1, 1, 0, 0, 0, 1e6, time.UTC)
	largest.TimeZone = "America/Argentina/ComodRivadavia" // the longest there is
	var bad invalid.Error
	largest.Check(&bad)
	if err := bad.OrNil(); err != nil {
		t.Fatal(err)
	}
	got := insert(t, db, largest)
	back := Draft{got.Title, got.Venue, got.Description, got.ImageAlt, got.Price, got.TimeZone, got.StartsAt, got.SalesOpenAt, got.SalesCloseAt}
	if back != largest {
		t.Error("the row is not what was inserted")
	}
}

func TestCatalogueOverTheTable(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	catalogue := NewCatalogue(NewStore(db), quiet())
	refresh := func() {
		t.Helper()
		if err := catalogue.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	first := insert(t, db, validDraft())
	if got, err := catalogue.Get(t.Context(), first.ID); err != nil || got != first {
		t.Errorf("a show added this instant: %v, %v", got, err)
	}

	// A transaction that began before a refresh and commits after it.
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := NewStore(db).Insert(t.Context(), tx, validDraft())
	if err != nil {
		t.Fatal(err)
	}
	refresh()
	if got := idsByStart(t, catalogue); !cmp.Equal(got, []int64{first.ID}) {
		t.Errorf("before the commit: %v", got)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	refresh()
	if got := idsByStart(t, catalogue); !cmp.Equal(got, []int64{first.ID, slow.ID}) {
		t.Errorf("after the commit: %v", got)
	}
	before := catalogue.current.Load()
	refresh()
	if catalogue.current.Load() != before {
		t.Error("rows read again count as changed")
	}

	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := catalogue.Refresh(context.Background()); err == nil {
		t.Error("a refresh without a database succeeded")
	}
	if got, err := catalogue.Get(t.Context(), slow.ID); err != nil || got != slow {
		t.Errorf("without a database: %v, %v", got, err)
	}
	if _, err := catalogue.Get(t.Context(), slow.ID+1); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a database, an unknown show: %v", err)
	}
}

func TestInsertAll(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	store := NewStore(db)
	insert(t, db, validDraft()) // so that ids do not begin at 1
	drafts := make([]Draft, 2*bulkRows+1)
	for i := range drafts {
		drafts[i] = validDraft()
		drafts[i].Title = fmt.Sprint(i)
	}
	for i := range 2 * bulkSize / maxDescription { // of these, fewer go into a statement
		drafts[i].Description = strings.Repeat("'", maxDescription)
	}
	for _, step := range []int64{1, 7} { // as of several servers that take writes
		err := database.Transact(t.Context(), db, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), "SET SESSION auto_increment_increment = ?", step); err != nil {
				return err
			}
			ids, err := store.InsertAll(t.Context(), tx, drafts)
			if err != nil || len(ids) != len(drafts) {
				return fmt.Errorf("%d ids: %w", len(ids), err)
			}
			for i := range ids {
				var title string
				if err := tx.QueryRowContext(t.Context(), "SELECT title FROM shows WHERE id = ?", ids[i]).Scan(&title); err != nil || title != drafts[i].Title {
					return fmt.Errorf("draft %d has the id %d, which is %q: %w", i, ids[i], title, err)
				}
			}
			_, err = tx.ExecContext(t.Context(), "SET SESSION auto_increment_increment = DEFAULT")
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if ids, err := store.InsertAll(t.Context(), begin(t, db), nil); err != nil || len(ids) != 0 {
		t.Errorf("of nothing: %v, %v", ids, err)
	}
}

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// A transaction that was open for longer than a refresh looks back is missed by all refreshes, until its shows are announced.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	store := NewStore(db)
	catalogue := NewCatalogue(store, quiet())
	seen := func() int {
		t.Helper()
		if err := catalogue.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(idsByStart(t, catalogue))
	}
	seen()
	tx := begin(t, db)
	ids, err := store.InsertAll(t.Context(), tx, []Draft{validDraft(), validDraft(), validDraft()})
	if err != nil {
		t.Fatal(err)
	}
	age := func(id int64, by time.Duration) { // as if the transaction had begun so long ago
		t.Helper()
		if _, err := tx.ExecContext(t.Context(), "UPDATE shows SET updated_at = updated_at - INTERVAL ? SECOND WHERE id = ?", int64(by.Seconds()), id); err != nil {
			t.Fatal(err)
		}
	}
	age(ids[0], time.Minute)
	age(ids[1], overlap+time.Second)
	seen()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := seen(); got != 1 {
		t.Fatalf("%d shows are seen without an announcement, want the youngest alone", got)
	}
	young, err := store.Get(t.Context(), ids[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Announce(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	if got := seen(); got != 3 {
		t.Errorf("%d of 3 shows are seen", got)
	}
	if again, err := store.Get(t.Context(), ids[2]); err != nil || again != young {
		t.Errorf("a show that needs no announcement was touched: %v, %v", again, err)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	store := NewStore(db)
	before := insert(t, db, validDraft())
	draft := validDraft()
	draft.Title, draft.Price, draft.SalesCloseAt = "Giselle", 70_000, draft.SalesCloseAt.Add(-time.Hour)
	update := func(id int64) (after Show, err error) {
		err = database.Transact(t.Context(), db, func(tx *sql.Tx) (err error) {
			after, err = store.Update(t.Context(), tx, id, draft)
			return err
		})
		return after, err
	}
	want := before
	want.Title, want.Price, want.SalesCloseAt = draft.Title, draft.Price, draft.SalesCloseAt
	for range 2 { // also one that changes nothing is a new version
		want.Version++
		after, err := update(before.ID)
		if diff := cmp.Diff(want, after, cmpopts.IgnoreFields(Show{}, "UpdatedAt")); diff != "" || err != nil {
			t.Error(err, diff)
		}
		if after.UpdatedAt.Before(before.UpdatedAt) {
			t.Errorf("updated at %v, before at %v", after.UpdatedAt, before.UpdatedAt)
		}
	}
	if changed, _, err := store.ChangedSince(t.Context(), before.UpdatedAt); err != nil || len(changed) != 1 || changed[0].Title != "Giselle" {
		t.Errorf("changed since: %v, %v", changed, err)
	}
	if _, err := update(12345); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such show: %v", err)
	}
}

func TestSetImage(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	store := NewStore(db)
	before := insert(t, db, validDraft())
	set := func(id int64, image string) (show Show, err error) {
		err = database.Transact(t.Context(), db, func(tx *sql.Tx) (err error) {
			show, err = store.SetImage(t.Context(), tx, id, image)
			return err
		})
		return show, err
	}
	after, err := set(before.ID, "a")
	want := before
	want.Image, want.Version = "a", 2
	if diff := cmp.Diff(want, after, cmpopts.IgnoreFields(Show{}, "UpdatedAt")); err != nil || diff != "" || after.UpdatedAt.Before(before.UpdatedAt) {
		t.Errorf("%v, changed %v after %v: %s", err, after.UpdatedAt, before.UpdatedAt, diff)
	}
	if again, err := set(before.ID, "a"); err != nil || again != after {
		t.Errorf("the same again: got %v, %v, want no change", again, err)
	}
	if _, err := set(before.ID+1, "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no show: got %v", err)
	}
	err = database.Transact(t.Context(), db, func(tx *sql.Tx) (err error) {
		after, err = store.Update(t.Context(), tx, before.ID, validDraft())
		return err
	})
	if err != nil || after.Image != "a" {
		t.Errorf("an edit takes the image away: %v, %v", after, err)
	}
}
