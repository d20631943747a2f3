package show

import (
	"context"
	"database/sql"
	"errors"
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
