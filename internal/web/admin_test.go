package web

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// back is a back office that makes what it is told to, and shows the lines that it has.
type back struct {
	draft           show.Draft
	capacity, limit int
	calls           int
	lines           []StockLine
	asked           []int64 // the shows whose stock was asked for
	queue           stream.Queue
	resynced        stock.Resynced
	dryRun          bool
	by              auditlog.Actor
	once            string
	err             error
}

func (b *back) CreateShow(_ context.Context, by auditlog.Actor, once string, d show.Draft, capacity, limit int) (show.Show, error) {
	b.by, b.once, b.draft, b.capacity, b.limit = by, once, d, capacity, limit
	b.calls++
	return show.Show{
		ID: 9, Title: d.Title, Venue: d.Venue, Description: d.Description, ImageAlt: d.ImageAlt, Price: d.Price, TimeZone: d.TimeZone,
		StartsAt: d.StartsAt, SalesOpenAt: d.SalesOpenAt, SalesCloseAt: d.SalesCloseAt,
	}, b.err
}

func (b *back) UpdateShow(ctx context.Context, by auditlog.Actor, id int64, d show.Draft, capacity, limit int) (show.Show, error) {
	if id != 9 {
		return show.Show{}, show.ErrNotFound
	}
	return b.CreateShow(ctx, by, "", d, capacity, limit)
}

func (b *back) Resync(_ context.Context, by auditlog.Actor, id int64, dryRun bool) (stock.Resynced, error) {
	b.calls++
	b.by, b.dryRun = by, dryRun
	if id != 9 {
		return stock.Resynced{}, stock.ErrNoShow
	}
	return b.resynced, b.err
}

func (b *back) Stock(_ context.Context, shows ...int64) ([]StockLine, error) {
	b.asked = shows
	return b.lines, b.err
}

func (b *back) Queue(context.Context) (stream.Queue, error) { return b.queue, b.err }

const newShow = `{"title":"Swan Lake","venue":"Seoul Arts Center","description":"","price":50000,"time_zone":"Asia/Tokyo",` +
	`"starts_at":"2026-05-03T23:00:00+09:00","sales_open_at":"2026-05-03T11:00:00Z","sales_close_at":"2026-05-03T13:00:00Z",` +
	`"capacity":100,"limit_per_user":4,"image_alt":"A swan"}`

func TestCreateShow(t *testing.T) {
	t.Parallel()
	const want = `{"id":9,"title":"Swan Lake","venue":"Seoul Arts Center","description":"","price":50000,"image_url":null,"image_alt":"A swan",` +
		`"time_zone":"Asia/Tokyo","starts_at":"2026-05-03T14:00:00Z","sales_open_at":"2026-05-03T11:00:00Z",` +
		`"sales_close_at":"2026-05-03T13:00:00Z","capacity":100,"left":100,"limit_per_user":4,"state":"on_sale",` +
		`"server_time":"2026-05-03T12:00:00Z"}` + "\n"
	for name, levelsErr := range map[string]error{"as usual": nil, "Redis is away": errors.New("connection refused")} {
		f := newFixture(t, Options{})
		f.shelf.levelsErr = levelsErr
		w := f.do("POST", "/api/v1/admin/shows", newShow, f.token(1, account.Admin))
		if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != 201 || w.Header().Get("Location") != "/api/v1/shows/9" {
			t.Errorf("%s: %d at %q %s", name, w.Code, w.Header().Get("Location"), diff)
		}
		if f.back.calls != 1 || f.back.capacity != 100 || f.back.limit != 4 {
			t.Errorf("%s: asked for %+v", name, f.back)
		}
	}
}

func TestCreateShowDefaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, closes := range []string{"", `,"sales_close_at":null`} {
		body := `{"title":" Swan Lake ","venue":"V","starts_at":"2026-05-03T14:00:00Z","sales_open_at":"2026-05-03T11:00:00Z","capacity":1` + closes + `}`
		got := decode[showJSON](t, f.do("POST", "/api/v1/admin/shows", body, f.token(1, account.Admin)))
		if got.Title != "Swan Lake" || got.TimeZone != "Asia/Seoul" || !got.SalesCloseAt.Equal(got.StartsAt) || got.LimitPerUser != 0 || got.Price != 0 {
			t.Errorf("got %+v", got)
		}
	}
}

func TestCreateShowRefusesNonsense(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	for _, test := range []struct {
		replaced, by string
		status       int
		field        string
	}{
		{`:100,`, `:1000000,`, 201, ""},
		{`:100,`, `:1000001,`, 422, "capacity"},
		{`:100,`, `:0,`, 422, "capacity"},
		{`:4,`, `:0,`, 201, ""},
		{`:4,`, `:1000000,`, 201, ""},
		{`:4,`, `:1000001,`, 422, "limit_per_user"},
		{`:4,`, `:-1,`, 422, "limit_per_user"},
		{`Swan Lake`, ` `, 422, "title"},
		{`Asia/Tokyo`, `Asia/Nowhere`, 422, "time_zone"},
		{`2026-05-03T11:00:00Z`, `2026-05-03T15:00:00Z`, 422, "sales_open_at"},
		{`2026-05-03T13:00:00Z`, `tomorrow`, 422, "sales_close_at"},
		{`50000`, `-1`, 422, "price"},
		{`50000`, `"50000"`, 400, "price"},
		{`image_alt`, `image`, 400, "image"},
		{`{`, `{"capacity":1,`, 400, "capacity"},
		{`{`, ``, 400, ""},
	} {
		f.back.calls = 0
		w := f.do("POST", "/api/v1/admin/shows", strings.Replace(newShow, test.replaced, test.by, 1), token)
		if made := map[int]int{201: 1}[test.status]; w.Code != test.status || f.back.calls != made {
			t.Errorf("%s: got %d and %d shows, want %d: %s", test.by, w.Code, f.back.calls, test.status, w.Body)
		} else if test.field != "" {
			if p := decode[Problem](t, w); len(p.Errors) != 1 || p.Errors[0].Field != test.field {
				t.Errorf("%s: got %v, want a fault of %s", test.by, p.Errors, test.field)
			}
		}
	}
	if p := wantProblem(t, f.do("POST", "/api/v1/admin/shows", `{}`, token), 422, "invalid"); len(p.Errors) != 5 {
		t.Errorf("not every fault is named: %v", p.Errors)
	}
	f.back.err = errors.New("invalid connection")
	wantProblem(t, f.do("POST", "/api/v1/admin/shows", newShow, token), 503, "unavailable")
}

func TestUpdateShow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	got := decode[showJSON](t, f.do("PUT", "/api/v1/admin/shows/9", newShow, token))
	if got.ID != 9 || got.Title != "Swan Lake" || got.Capacity != 100 || got.LimitPerUser != 4 || f.back.calls != 1 {
		t.Errorf("got %+v of %+v", got, f.back)
	}
	for _, id := range []string{"8", "x", "09", "-1"} {
		wantProblem(t, f.do("PUT", "/api/v1/admin/shows/"+id, newShow, token), 404, "not_found")
	}
	f.back.calls = 0
	if p := wantProblem(t, f.do("PUT", "/api/v1/admin/shows/9", `{}`, token), 422, "invalid"); len(p.Errors) != 5 || f.back.calls != 0 {
		t.Errorf("faults %v, %d changes", p.Errors, f.back.calls)
	}
	for code, test := range map[string]struct {
		err    error
		status int
	}{
		"capacity_below_reserved": {&stock.CapacityError{Capacity: 90, Reserved: 95}, 409},
		"resync_running":          {stock.ErrResyncRunning, 409},
		"not_drained":             {stock.ErrNotDrained, 503},
		"unavailable":             {errors.New("invalid connection"), 503},
	} {
		f.back.err = fmt.Errorf("resync of show 9: %w", test.err)
		w := f.do("PUT", "/api/v1/admin/shows/9", newShow, token)
		p := wantProblem(t, w, test.status, code)
		if (p.Reserved != nil && *p.Reserved == 95) != (code == "capacity_below_reserved") {
			t.Errorf("%s: reserved %v", code, p.Reserved)
		}
		if test.status == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", code)
		}
	}
}

func TestResyncStock(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	f.back.resynced = stock.Resynced{Before: 60, After: 10, Drift: 50, Epoch: 3}
	const path = "/api/v1/admin/shows/9/stock/resync"
	for query, dry := range map[string]bool{"": false, "?dry_run=false": false, "?dry_run=true": true, "?dry_run=1": true} {
		want := fmt.Sprintf(`{"before":60,"after":10,"drift":50,"epoch":3,"dry_run":%v}`+"\n", dry)
		if w := f.do("POST", path+query, "", token); w.Code != 200 || w.Body.String() != want || f.back.dryRun != dry {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	f.back.calls = 0
	for query, field := range map[string]string{"?dry_run=maybe": "dry_run", "?dry_run=": "dry_run", "?dry_run": "dry_run", "?dryrun=true": "dryrun"} {
		if p := wantProblem(t, f.do("POST", path+query, "", token), 422, "invalid"); len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: faults %v", query, p.Errors)
		}
	}
	// What was meant as a dry run must not become a real one.
	for body, field := range map[string]string{`{"dry_run":true}`: "dry_run", "dry_run=true": "", "null": "", strings.Repeat(" ", maxBody) + "{}": ""} {
		w := f.do("POST", path, body, token)
		if p := decode[Problem](t, w); w.Code != 400 && w.Code != 413 || field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != field) {
			t.Errorf("body %.20q: %d %+v", body, w.Code, p)
		}
	}
	if p := wantProblem(t, f.do("POST", path+"?dry_run=false&dry_run=true", "", token), 400, "malformed"); len(p.Errors) != 1 || p.Errors[0].Field != "dry_run" {
		t.Errorf("two wishes: %v", p.Errors)
	}
	wantProblem(t, f.do("POST", path, "", f.token(2, account.Customer)), 403, "forbidden")
	wantProblem(t, f.do("POST", path, ""), 401, "unauthenticated")
	if f.back.calls != 0 {
		t.Errorf("%d resyncs for nobody", f.back.calls)
	}
	for _, body := range []string{"{}", " \n"} {
		if w := f.do("POST", path, body, token); w.Code != 200 {
			t.Errorf("body %q: %d %s", body, w.Code, w.Body)
		}
	}
	wantProblem(t, f.do("POST", "/api/v1/admin/shows/8/stock/resync", "", token), 404, "not_found")
	f.back.err = fmt.Errorf("resync of show 9: %w", stock.ErrResyncRunning)
	wantProblem(t, f.do("POST", path, "", token), 409, "resync_running")
	f.back.err = fmt.Errorf("resync of show 9: %w", stock.ErrNotDrained)
	wantProblem(t, f.do("POST", path, "", token), 503, "not_drained")
}

func TestListStock(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	if got := strings.TrimSpace(f.do("GET", "/api/v1/admin/stock", "", token).Body.String()); got != `{"stock":[]}` {
		t.Errorf("no shows: %s", got)
	}
	swan := show.Show{ID: 1, Title: "Swan Lake"}
	row := stock.Row{Capacity: 100, Reserved: 30, Epoch: 3}
	line := func(hash stock.Hash, conclusive bool) StockLine {
		return StockLine{Show: swan, Cut: stock.Cut{Row: row, Hash: hash, Conclusive: conclusive, At: noon}}
	}
	written := line(stock.Hash{State: "open", Epoch: 3, Left: 68, Seq: 9, Settled: 9}, true)
	written.Snapshot = &stock.Snapshot{Left: 71, AsOf: noon.Add(-time.Minute)}
	const head = `{"show_id":1,"title":"Swan Lake","state":"%s","capacity":100,"reserved":30,"pending":%d,"left":%d,"drift":%s,"epoch":3,"snapshot":%s,"audited_at":%s}`
	for name, test := range map[string]struct {
		line StockLine
		want string
	}{
		"in motion":    {line(stock.Hash{State: "open", Left: 60, Seq: 9, Settled: 4}, false), fmt.Sprintf(head, "open", 5, 60, "null", "null", "null")},
		"paused":       {line(stock.Hash{State: "paused", Left: 60}, false), fmt.Sprintf(head, "paused", 0, 60, "null", "null", "null")},
		"never loaded": {line(stock.Hash{}, false), fmt.Sprintf(head, "unloaded", 0, 70, "null", "null", "null")},
		"distrusted":   {line(stock.Hash{State: "unloaded", Left: 99}, false), fmt.Sprintf(head, "unloaded", 0, 70, "null", "null", "null")},
		"drifting": {written, fmt.Sprintf(head, "open", 0, 68, "-2",
			`{"left":71,"as_of":"2026-05-03T11:59:00Z"}`, `"2026-05-03T12:00:00Z"`)},
	} {
		f.back.lines = []StockLine{test.line}
		if diff := cmp.Diff(`{"stock":[`+test.want+"]}\n", f.do("GET", "/api/v1/admin/stock", "", token).Body.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	f.back.err = show.ErrNotFound // of a show that has a stock
	wantProblem(t, f.do("GET", "/api/v1/admin/stock", "", token), 503, "unavailable")
}
