package system_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// admin is who does things in these tests.
func admin() auditlog.Actor { return auditlog.Actor{UserID: 7, IP: "192.0.2.1", RequestID: "r-1"} }

// records returns the audit log, the oldest first: each record as its action, object and details.
func records(t *testing.T, rig *systemtest.Rig) (lines []string) {
	t.Helper()
	page, more, err := rig.AuditLog.Page(t.Context(), 0, 100)
	if err != nil || more {
		t.Fatal(more, err)
	}
	for _, r := range page {
		if by := admin(); r.By != by {
			t.Errorf("%s is a deed of %+v, want %+v", r.Action, r.By, by)
		}
		lines = append([]string{fmt.Sprintf("%s %s %s", r.Action, r.Object, r.Details)}, lines...)
	}
	return lines
}

// wantRecords checks the audit log.
func wantRecords(t *testing.T, rig *systemtest.Rig, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, records(t, rig)); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}

func draft() show.Draft {
	opens := time.Date(2030, 5, 3, 12, 0, 0, 0, time.UTC)
	return show.Draft{Title: "백조의 호수", Venue: "Seoul Arts Center", Description: "A <swan>", ImageAlt: "A swan", Price: 50_000, TimeZone: "Asia/Seoul",
		SalesOpenAt: opens, SalesCloseAt: opens.Add(time.Hour), StartsAt: opens.Add(2 * time.Hour)}
}

const created = `show.create show:1 {"capacity":100,"description":"A <swan>","image_alt":"A swan","limit_per_user":4,"price":50000,` +
	`"sales_close_at":"2030-05-03T13:00:00Z","sales_open_at":"2030-05-03T12:00:00Z","starts_at":"2030-05-03T14:00:00Z",` +
	`"time_zone":"Asia/Seoul","title":"백조의 호수","venue":"Seoul Arts Center"}`

// A show that is asked for again, also at the same time, is made and written down once. Another text, or person, makes another.
func TestShowIsMadeOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office := rig.OpenBackOffice(rig.Front)
	create := func(by auditlog.Actor, once string) int64 {
		made, err := office.CreateShow(t.Context(), by, once, draft(), 100, 4)
		if err != nil || made.Title != draft().Title {
			t.Error(made, err)
		}
		return made.ID
	}
	ids := make(chan int64, 9)
	var all sync.WaitGroup
	for range cap(ids) {
		all.Go(func() { ids <- create(admin(), "A") })
	}
	all.Wait()
	first := create(admin(), "A")
	for range cap(ids) {
		if id := <-ids; id != first {
			t.Errorf("show %d, and then %d", id, first)
		}
	}
	other := auditlog.Actor{UserID: 8}
	made := map[int64]bool{first: true, create(admin(), "B"): true, create(other, "A"): true, create(admin(), ""): true, create(admin(), ""): true}
	for table, want := range map[string]int{"shows": 5, "stock": 5, "audit_log": 5} {
		var rows int
		if err := rig.DB.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&rows); err != nil || rows != want || len(made) != want {
			t.Errorf("%d of %s, want %d; %v, %v", rows, table, want, made, err)
		}
	}
}

// Of a show that is made or changed, exactly that is written down, field by field.
func TestShowsAreWrittenDown(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office := rig.OpenBackOffice(rig.Front)
	made, err := office.CreateShow(t.Context(), admin(), "", draft(), 100, 4)
	if err != nil || made.ID != 1 {
		t.Fatal(made, err)
	}
	want := []string{created}
	wantRecords(t, rig, want...)

	d, capacity, limit := draft(), 100, 4
	for _, test := range []struct {
		change func()
		want   string
	}{
		{func() {}, ``},
		{func() { d.Title = "Giselle" }, `"title":{"before":"백조의 호수","after":"Giselle"}`},
		{func() { d.Venue = "예술의전당" }, `"venue":{"before":"Seoul Arts Center","after":"예술의전당"}`},
		{func() { d.Description = "" }, `"description":{"before":"A <swan>","after":""}`},
		{func() { d.ImageAlt = "A dancer" }, `"image_alt":{"before":"A swan","after":"A dancer"}`},
		{func() { d.Price = 0 }, `"price":{"before":50000,"after":0}`},
		{func() { d.TimeZone = "Asia/Tokyo" }, `"time_zone":{"before":"Asia/Seoul","after":"Asia/Tokyo"}`},
		{func() { d.StartsAt = d.StartsAt.Add(time.Millisecond) }, `"starts_at":{"before":"2030-05-03T14:00:00Z","after":"2030-05-03T14:00:00.001Z"}`},
		{func() { d.SalesOpenAt = d.SalesOpenAt.Add(-time.Hour) }, `"sales_open_at":{"before":"2030-05-03T12:00:00Z","after":"2030-05-03T11:00:00Z"}`},
		{func() { d.SalesCloseAt = d.SalesCloseAt.Add(time.Hour) }, `"sales_close_at":{"before":"2030-05-03T13:00:00Z","after":"2030-05-03T14:00:00Z"}`},
		{func() { capacity = 120 }, `"capacity":{"before":100,"after":120}`},
		{func() { limit = 0 }, `"limit_per_user":{"before":4,"after":0}`},
		{func() { d.Title, capacity, limit = "La Bayadère", 90, 2 },
			`"capacity":{"before":120,"after":90},"limit_per_user":{"before":0,"after":2},"title":{"before":"Giselle","after":"La Bayadère"}`},
	} {
		test.change()
		if _, err := office.UpdateShow(t.Context(), admin(), made.ID, d, capacity, limit); err != nil {
			t.Fatalf("%s: %v", test.want, err)
		}
		want = append(want, "show.update show:1 {"+test.want+"}")
		wantRecords(t, rig, want...)
	}
}

// What is refused or cannot be stored leaves no record, and what cannot be written down is not stored.
func TestRefusedIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office := rig.OpenBackOffice(rig.Front)
	made, err := office.CreateShow(t.Context(), admin(), "", draft(), 100, 4)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, rig, `INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, booked_at, confirmed_at)
		VALUES (UNHEX(REPEAT('01', 16)), ?, 8, 5, 'confirmed', 1, 1, NOW(3), NOW(3))`, made.ID)
	exec(t, rig, "UPDATE stock SET reserved = 5 WHERE show_id = ?", made.ID)
	tooLong := draft()
	tooLong.Title = strings.Repeat("x", 1000)
	for name, do := range map[string]func() error{
		"a show that MySQL refuses":       func() error { _, err := office.CreateShow(t.Context(), admin(), "", tooLong, 1, 0); return err },
		"a stock that MySQL refuses":      func() error { _, err := office.CreateShow(t.Context(), admin(), "", draft(), -1, 0); return err },
		"no show":                         func() error { _, err := office.UpdateShow(t.Context(), admin(), 99, draft(), 1, 0); return err },
		"an edit that MySQL refuses":      func() error { _, err := office.UpdateShow(t.Context(), admin(), made.ID, tooLong, 100, 4); return err },
		"terms with an edit that it does": func() error { _, err := office.UpdateShow(t.Context(), admin(), made.ID, tooLong, 50, 4); return err },
		"a capacity below the confirmed":  func() error { _, err := office.UpdateShow(t.Context(), admin(), made.ID, draft(), 4, 4); return err },
		"a resync of no show":             func() error { _, err := office.Resync(t.Context(), admin(), 99, false); return err },
		"a dry run of no show":            func() error { _, err := office.Resync(t.Context(), admin(), 99, true); return err },
	} {
		if err := do(); err == nil {
			t.Errorf("%s: it is not refused", name)
		}
		wantRecords(t, rig, created)
	}
	if _, err := office.Resync(t.Context(), admin(), made.ID, true); err != nil {
		t.Error(err)
	}
	if _, err := rig.Resyncer.Resync(t.Context(), made.ID, stock.CauseDrift); err != nil { // nobody's deed
		t.Error(err)
	}
	wantRecords(t, rig, created)

	// The log takes nothing: then nothing is done.
	exec(t, rig, "ALTER TABLE audit_log ADD COLUMN missing INT NOT NULL")
	before := row(t, rig, made.ID)
	renamed := draft()
	renamed.Title = "Giselle"
	for name, do := range map[string]func() error{
		"create": func() error { _, err := office.CreateShow(t.Context(), admin(), "", renamed, 1, 0); return err },
		"update": func() error { _, err := office.UpdateShow(t.Context(), admin(), made.ID, renamed, 100, 4); return err },
		"terms":  func() error { _, err := office.UpdateShow(t.Context(), admin(), made.ID, renamed, 120, 4); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "audit log") {
			t.Errorf("%s without the log: %v", name, err)
		}
	}
	if _, err := rig.Distrust(t.Context()); err == nil {
		t.Error("distrust without the log")
	}
	if _, err := office.Resync(t.Context(), admin(), made.ID, false); err == nil || errors.Is(err, stock.ErrResyncRunning) {
		t.Errorf("resync without the log: %v", err)
	}
	after := row(t, rig, made.ID)
	if after.Epoch = before.Epoch; after != before { // the show was paused: it had to be loaded
		t.Errorf("%+v, want %+v", after, before)
	}
	if shows, _, err := rig.Shows.ChangedSince(t.Context(), time.Time{}); err != nil || len(shows) != 1 || shows[0].Title != draft().Title {
		t.Errorf("%v, %v", shows, err)
	}
	if cut := cut(t, rig, made.ID); !cut.Agrees() || cut.Hash.State != "open" {
		t.Errorf("the show does not sell on: %+v", cut)
	}
}

// Texts that are too long for the log do not keep a show from being changed.
func TestLongDescription(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office := rig.OpenBackOffice(rig.Front)
	d := draft()
	d.Description = strings.Repeat("🦢", 10_000)
	made, err := office.CreateShow(t.Context(), admin(), "", d, 100, 4)
	if err != nil {
		t.Fatal(err)
	}
	d.Description, d.Title = strings.Repeat("🎭", 10_000), "Giselle"
	if _, err := office.UpdateShow(t.Context(), admin(), made.ID, d, 120, 4); err != nil {
		t.Fatal(err)
	}
	got := records(t, rig)
	if len(got) != 2 || !strings.Contains(got[1], "Giselle") || !strings.Contains(got[1], "(40000 bytes in all)") || strings.Count(got[1], "🎭") < 5_000 {
		t.Errorf("%d records: %.300s", len(got), got)
	}
}

func TestResyncIsWrittenDown(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office := rig.OpenBackOffice(rig.Front)
	id := rig.Show(t, 10, 0)
	if _, err := office.Resync(t.Context(), admin(), id, false); err != nil {
		t.Fatal(err)
	}
	rig.Redis.HIncrBy(t.Context(), rig.Shards.Show(id), "left", 50)
	if _, err := office.Resync(t.Context(), admin(), id, true); err != nil {
		t.Fatal(err)
	}
	if _, err := office.Resync(t.Context(), admin(), id, false); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, rig, `stock.resync show:1 {"after":10,"before":10,"drift":0,"epoch":1}`, `stock.resync show:1 {"after":10,"before":60,"drift":50,"epoch":2}`)
}

// Of resyncs and edits at once, each that succeeds has one record, and no other has.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	office := rig.OpenBackOffice(rig.Front)
	id := rig.Show(t, 10, 0)
	var done, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for round := range 5 {
				var err error
				if i%2 == 0 {
					_, err = office.Resync(t.Context(), admin(), id, false)
				} else {
					_, err = office.UpdateShow(t.Context(), admin(), id, draft(), 20+5*i+round, 4)
				}
				switch {
				case err == nil:
					done.Add(1)
				case errors.Is(err, stock.ErrResyncRunning):
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := int64(len(records(t, rig))); got != done.Load() || done.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d records of %d that were done; %d were refused", got, done.Load(), refused.Load())
	}
}

// The answer to the commit that raises the epoch is lost, so it is raised once more: what was done once is written down once. Where
// the statement before is lost, nothing of the first transaction is left.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		what string
		fate systemtest.Fate
		more int64 // epochs
	}{
		"the commit's answer": {"COMMIT", systemtest.LoseAnswer, 2},
		"the commit":          {"COMMIT", systemtest.LoseRequest, 1},
		"the record":          {"INSERT INTO audit_log", systemtest.LoseRequest, 1},
		"nothing (control)":   {"", systemtest.Deliver, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, dsn := systemtest.ProxyMySQL(t, servertest.MySQL(t))
			rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
			office := rig.OpenBackOffice(rig.Front)
			id := rig.Show(t, 10, 0)
			lose := func() *atomic.Int64 {
				var raising atomic.Bool
				var lost atomic.Int64
				proxy.Rule(func(request []byte) systemtest.Fate {
					if bytes.Contains(request, []byte("UPDATE stock SET epoch")) {
						raising.Store(true)
					}
					if raising.Load() && test.what != "" && bytes.Contains(request, []byte(test.what)) && lost.CompareAndSwap(0, 1) {
						return test.fate
					}
					return systemtest.Deliver
				})
				return &lost
			}
			lost := lose()
			if _, err := office.Resync(t.Context(), admin(), id, false); err != nil {
				t.Fatal(err)
			}
			if n := lost.Load(); n != 1 && test.what != "" {
				t.Fatal("nothing was lost")
			}
			if got := row(t, rig, id).Epoch; got != test.more {
				t.Errorf("epoch %d, want %d", got, test.more)
			}
			lose()
			d := draft()
			if _, err := office.UpdateShow(t.Context(), admin(), id, d, 20, 0); err != nil {
				t.Fatal(err)
			}
			proxy.Rule(nil)
			got := records(t, rig)
			if len(got) != 2 || !strings.HasPrefix(got[0], "stock.resync show:1 ") || !strings.Contains(got[1], `"capacity":{"before":10,"after":20}`) ||
				!strings.Contains(got[1], `"title":{"before":"Test","after":"백조의 호수"}`) {
				t.Errorf("records %s", got)
			}
			if got := row(t, rig, id); got.Epoch != 2*test.more || got.Capacity != 20 {
				t.Errorf("%+v, want epoch %d", got, 2*test.more)
			}
		})
	}
}

func exec(t *testing.T, rig *systemtest.Rig, statement string, args ...any) {
	t.Helper()
	if _, err := rig.DB.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func row(t *testing.T, rig *systemtest.Rig, id int64) stock.Row {
	t.Helper()
	row, err := rig.Stock.Row(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func cut(t *testing.T, rig *systemtest.Rig, id int64) stock.Cut {
	t.Helper()
	cuts, err := rig.Auditor.Cuts(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return cuts[id]
}
