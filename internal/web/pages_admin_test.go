package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// adminGet asks for a page as an admin's browser does, in English.
func (f *fixture) adminGet(path string) *httptest.ResponseRecorder {
	return f.do("GET", path, "", f.token(1, account.Admin), "Accept: text/html", "Accept-Language: en")
}

// adminPost sends a form as an admin's browser does.
func (f *fixture) adminPost(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", strings.TrimPrefix(f.token(1, account.Admin), "Authorization: "))
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "en")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// wantPage checks an answer's status, that it is a page, and what stands in it; what begins with a ! must not.
func wantPage(t *testing.T, w *httptest.ResponseRecorder, status int, texts ...string) {
	t.Helper()
	if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("got %d %s, want a page of %d: %.300s", w.Code, w.Header().Get("Content-Type"), status, w.Body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("what admins see may be kept: %q", got)
	}
	for _, text := range texts {
		unwanted, not := strings.CutPrefix(text, "!")
		if strings.Contains(w.Body.String(), unwanted) == not {
			t.Errorf("in the page, %q is there: %v", unwanted, not)
		}
	}
}

func wantSeeOther(t *testing.T, w *httptest.ResponseRecorder, to string) {
	t.Helper()
	if w.Code != 303 || w.Header().Get("Location") != to {
		t.Errorf("got %d to %q, want 303 to %q: %.300s", w.Code, w.Header().Get("Location"), to, w.Body)
	}
}

// withShow9 has show 9, which the back office can change, on sale in Tokyo.
func withShow9(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, Options{})
	f.shelf.put(9, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	f.shelf.shows[0].Title, f.shelf.shows[0].TimeZone = `<Swan> & "Lake"`, "Asia/Tokyo"
	return f
}

func TestAdminPagesAreClosed(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	for _, path := range []string{"/admin", "/admin/", "/admin/shows", "/admin/shows/new", "/admin/shows/9", "/admin/stock", "/admin/stock/9/resync",
		"/admin/queue", "/admin/audit", "/admin/dead-letters/1-1-1/drop", "/admin/nowhere", "/admin/shows/9/nowhere", "/%61dmin/shows"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			nobody := f.do(method, path, "", "Accept: text/html", "Accept-Language: en")
			customer := f.do(method, path, "", f.token(7, account.Customer), "Accept: text/html", "Accept-Language: en")
			wantPage(t, nobody, 401, "Please log in")
			wantPage(t, customer, 403, "Not allowed")
		}
	}
	wantPage(t, f.adminGet("/admin/nowhere"), 404, "Nothing here")
	wantSeeOther(t, f.adminGet("/admin"), "/admin/shows")
	if w := f.do("GET", "/administrators", "", "Accept: text/html"); w.Code != 404 { // the control: another path is no admin's
		t.Errorf("got %d", w.Code)
	}
	if f.back.calls+len(f.graves.dropped) > 0 {
		t.Error("somebody did something")
	}
}

// Every page of admins says where one is, in both languages, and leads to the others.
func TestAdminPagesLeadOn(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	for path, here := range map[string]string{"/admin/shows": "shows", "/admin/shows/new": "shows", "/admin/shows/9": "shows", "/admin/stock": "stock",
		"/admin/stock/9/resync": "stock", "/admin/queue": "queue", "/admin/audit": "audit"} {
		for lang, title := range map[string]string{"ko": "감사 기록", "en": "Audit log"} {
			w := f.do("GET", path, "", f.token(1, account.Admin), "Accept: text/html", "Accept-Language: "+lang)
			wantPage(t, w, 200, `<html lang="`+lang+`">`, `href="/admin/`+here+`" aria-current="page"`, title, `href="/admin/queue"`, "!there is no text")
			if n := strings.Count(w.Body.String(), "<h1"); n != 1 {
				t.Errorf("%s has %d headings", path, n)
			}
		}
	}
}

func TestAdminListsShows(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	wantPage(t, f.adminGet("/admin/shows"), 200, "No show is like that.", "/admin/shows/new")
	for id := int64(1); id <= 24; id++ {
		f.shelf.put(id, -time.Hour, time.Duration(id)*time.Hour, time.Duration(id)*time.Hour, stock.Level{Capacity: 1000, Left: 1000 - int(id)})
	}
	f.shelf.put(30, -3*time.Hour, -time.Hour, -time.Hour, stock.Level{Capacity: 7, Left: 7})
	f.shelf.shows[0].Title = "Over & out"
	f.shelf.put(31, time.Hour, 2*time.Hour, 3*time.Hour, stock.Level{Capacity: 7})
	first := f.adminGet("/admin/shows")
	wantPage(t, first, 200, "999</b></span> / 1,000", `<a href="/admin/shows/31">`, "Not open yet", "!Over &amp; out", "!Back to the first")
	next := regexp.MustCompile(`href="(/admin/shows\?[^"]*cursor=[^"]+)"`).FindStringSubmatch(first.Body.String())
	if next == nil {
		t.Fatal("there is no next page")
	}
	// What is over comes last.
	wantPage(t, f.adminGet(strings.ReplaceAll(next[1], "&amp;", "&")), 200, `<a href="/admin/shows/24">`, "Over &amp; out", "Back to the first", "!/admin/shows/1\"", "!More shows")
	wantPage(t, f.adminGet("/admin/shows?q=out"), 200, "Over &amp; out", `value="out"`, "!/admin/shows/24")
	wantPage(t, f.adminGet("/admin/shows?state=upcoming"), 200, "/admin/shows/31", "!/admin/shows/24", `value="upcoming" selected`)
	wantPage(t, f.adminGet("/admin/shows?state=x"), 422, "There is no such state.")
	wantPage(t, f.adminGet("/admin/shows?cursor=x"), 422, "Please start again")
	if w := f.adminGet("/admin/shows?state=x&cursor=x"); strings.Count(w.Body.String(), `id="find-fault"`) != 1 {
		t.Error("two faults bear one id")
	}
	wantPage(t, f.adminGet("/admin/shows?q="+strings.Repeat("x", 201)), 422, "too many words")
	f.shelf.levelsErr = errors.New("connection refused")
	wantPage(t, f.adminGet("/admin/shows"), 503)
}

func TestAdminSeesStock(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	f.shelf.put(10, -time.Hour, time.Hour, 3*time.Hour, stockOf(70))
	f.shelf.put(11, -time.Hour, time.Hour, 4*time.Hour, stockOf(70))
	row := stock.Row{Capacity: 100, Reserved: 30, Epoch: 3}
	line := func(id int64, hash stock.Hash, conclusive bool) StockLine {
		return StockLine{Show: show.Show{ID: id}, Cut: stock.Cut{Row: row, Hash: hash, Conclusive: conclusive, At: noon}}
	}
	drifting := line(9, stock.Hash{State: "open", Epoch: 3, Left: 72, Seq: 9, Settled: 9}, true)
	drifting.Snapshot = &stock.Snapshot{Left: 71, AsOf: noon.Add(-3 * time.Minute)}
	f.back.lines = []StockLine{drifting, line(10, stock.Hash{State: "open", Left: 60, Seq: 9, Settled: 4}, false), line(11, stock.Hash{}, false)}
	w := f.adminGet("/admin/stock")
	wantPage(t, w, 200, "&lt;Swan&gt;", `scope="row"`, "<caption", "+2", "3 min ago", "2026-05-03 21:00:00", "moving", "Not loaded yet", `<td class="n">5</td>`,
		`href="/admin/stock/9/resync" data-dialog aria-label="Resync &lt;Swan&gt;`)
	if !slices.Equal(f.back.asked, []int64{9, 10, 11}) {
		t.Errorf("asked for the stock of %v", f.back.asked)
	}
	f.back.asked = nil
	wantPage(t, f.adminGet("/admin/stock?q=nowhere"), 200, "No show is like that.")
	if f.back.asked != nil {
		t.Error("the stock of all shows was asked for in place of none")
	}
	wantPage(t, f.adminGet("/admin/stock?state=x"), 422, "There is no such state.")
	f.back.err = errors.New("connection refused")
	wantPage(t, f.adminGet("/admin/stock"), 503)
}

func TestAdminResyncs(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	f.back.resynced = stock.Resynced{Before: 1234, After: 1230, Drift: 4}
	wantPage(t, f.adminGet("/admin/stock/9/resync"), 200, "1,234", "1,230", "+4", "Redis differs from MySQL", "data-ask", `method="post" action="/admin/stock/9/resync"`)
	if !f.back.dryRun {
		t.Fatal("a look was no dry run")
	}
	f.back.resynced = stock.Resynced{Before: 5, After: 5}
	wantPage(t, f.adminGet("/admin/stock/9/resync"), 200, "There is no difference")
	wantSeeOther(t, f.adminPost("/admin/stock/9/resync", nil), "/admin/stock?done=resynced")
	if f.back.dryRun || f.back.by.UserID != 1 {
		t.Errorf("dry run %v, by %+v", f.back.dryRun, f.back.by)
	}
	wantPage(t, f.adminGet("/admin/stock?done=resynced"), 200, "The stock is set anew.")
	for _, path := range []string{"/admin/stock/8/resync", "/admin/stock/x/resync"} {
		wantPage(t, f.adminGet(path), 404)
		wantPage(t, f.adminPost(path, nil), 404)
	}
	for _, test := range []struct {
		err      error
		status   int
		said     string
		possible bool
	}{
		{stock.ErrResyncRunning, 409, "is being resynced just now", false},
		{stock.ErrNotDrained, 503, "Bookings are under way", true},
		{errors.New("invalid connection"), 503, "It is not known whether it was done", true},
	} {
		f.back.err = fmt.Errorf("resync of show 9: %w", test.err)
		button := `action="/admin/stock/9/resync"`
		if !test.possible {
			button = "!" + button
		}
		wantPage(t, f.adminGet("/admin/stock/9/resync"), test.status, test.said, button, "!Left after it")
		wantPage(t, f.adminPost("/admin/stock/9/resync", nil), test.status, test.said, button)
	}
}

func TestAdminSeesTheQueue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.back.queue = stream.Queue{At: noon, Shards: []stream.Depth{{Missing: true}, {}}}
	wantPage(t, f.adminGet("/admin/queue"), 200, "No worker is alive", "Nothing was sold here yet.", "Figures per second need a second look", "There are none.")
	id := letterIDs(t, "1-1777809600000-7")[0]
	f.back.queue = stream.Queue{
		At: noon, Shards: []stream.Depth{
			{Entries: 1200, InHand: 500, Oldest: 90 * time.Second, Workers: 2, Pace: &stream.Pace{Made: 1500.4, Settled: 2.25}},
			{Entries: 34, Oldest: 3 * time.Second, Workers: 1, Pace: &stream.Pace{Made: 0, Settled: 10}},
		},
		Workers: []stream.Worker{{Name: "worker-<a>", Idle: time.Second, InHand: 500, Shards: 2}, {Name: "worker-b", Idle: 3 * time.Hour, Shards: 1}},
	}
	f.graves.letters = []stream.Letter{{ID: id, Shard: 1, Entry: "1777809599000-0", BuriedAt: noon, Reason: `kind "<" is not allowed`,
		Fields: stream.Fields{{Name: "<v>", Value: "\xff<"}}}}
	f.graves.more = true
	w := f.adminGet("/admin/queue")
	wantPage(t, w, 200, "<dd>1,234</dd>", "<dd>1 min</dd>", "<dd>1,500</dd>", "<dd>12</dd>", "<dd>1</dd>", "worker-&lt;a&gt;", "silent for 3 h", "!No worker is alive",
		"kind &#34;&lt;&#34; is not allowed", `<dt>&lt;v&gt;</dt><dd><code>\xff&lt;</code>`, "/admin/dead-letters/1-1777809600000-7/drop", `data-refresh="3"`)
	next := regexp.MustCompile(`href="/admin/queue\?cursor=([^"]+)"`).FindStringSubmatch(w.Body.String())
	if next == nil {
		t.Fatal("there are no older ones")
	}
	wantPage(t, f.adminGet("/admin/queue?cursor="+next[1]), 200)
	if f.graves.before != id {
		t.Errorf("asked for letters before %v", f.graves.before)
	}
	wantPage(t, f.adminGet("/admin/queue?cursor=x"), 422)
	f.graves.err = errors.New("connection refused")
	wantPage(t, f.adminGet("/admin/queue"), 503)
	f.back.err = errors.New("connection refused")
	wantPage(t, f.adminGet("/admin/queue"), 503)
}

func TestAdminDropsADeadLetter(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := letterIDs(t, "1-1777809600000-7")[0]
	f.graves.letters = []stream.Letter{{ID: id, Shard: 1, Reason: "<why>", BuriedAt: noon, Fields: stream.Fields{{Name: "kind", Value: "gift"}}}}
	const path = "/admin/dead-letters/1-1777809600000-7/drop"
	wantPage(t, f.adminGet(path), 200, "&lt;why&gt;", "gift", "This cannot be undone", `method="post" action="`+path+`"`, "data-ask")
	if len(f.graves.dropped) > 0 {
		t.Fatal("a look dropped it")
	}
	wantSeeOther(t, f.adminPost(path, nil), "/admin/queue?done=letter_dropped")
	if !slices.Equal(f.graves.dropped, []stream.LetterID{id}) || f.graves.by.UserID != 1 {
		t.Errorf("dropped %v by %+v", f.graves.dropped, f.graves.by)
	}
	for _, other := range []string{"/admin/dead-letters/x/drop", "/admin/dead-letters/2-1-1/drop"} {
		wantPage(t, f.adminGet(other), 404)
	}
	wantPage(t, f.adminPost("/admin/dead-letters/x/drop", nil), 404)
	f.graves.err = stream.ErrNoLetter // another was faster
	wantPage(t, f.adminPost(path, nil), 404)
	f.graves.err = errors.New("invalid connection")
	wantPage(t, f.adminPost(path, nil), 503)
}

func TestAdminReadsTheAuditLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	wantPage(t, f.adminGet("/admin/audit"), 200, "Nothing has been done yet.")
	f.people.user = account.User{ID: 7, Email: "kim@example.com", Name: "<Kim>"}
	f.ledger.records = []auditlog.Record{
		{ID: 90, At: noon, By: auditlog.Actor{UserID: 7, IP: "192.0.2.1", RequestID: "r-1"}, Action: auditlog.UpdateShow, Object: "show:42",
			Details: json.RawMessage(`{"capacity":{"before":100,"after":120},"title":{"before":"<A>","after":"B"},"sales_open_at":{"before":"2026-05-03T12:00:00Z","after":"2026-05-03T12:00:01.5Z"}}`)},
		{ID: 89, At: noon, Action: auditlog.DistrustStock, Object: "stock", Details: json.RawMessage(`{"shows":24,"nested":{"a":["<"]}}`)},
		{ID: 88, At: noon, By: auditlog.Actor{UserID: 8}, Action: "new.action", Object: "thing:1", Details: json.RawMessage(`"odd"`)},
	}
	for id := int64(40); id > 20; id-- {
		f.ledger.records = append(f.ledger.records, auditlog.Record{ID: id, At: noon, Action: auditlog.CreateShow, Object: fmt.Sprint("show:", id), Details: json.RawMessage(`{}`)})
	}
	w := f.adminGet("/admin/audit")
	wantPage(t, w, 200, `Changed`, `<a href="/admin/shows/42">show 42</a>`, "&lt;Kim&gt;", "kim@example.com", "2026-05-03 21:00:00", "Request r-1 · 192.0.2.1",
		`<th scope="row">Title</th><td>&lt;A&gt;</td><td>B</td>`, `<th scope="row">Capacity</th><td>100</td><td>120</td>`,
		"the operator&#39;s tool", "all shows", `<dd>24</dd>`, `{&#34;a&#34;:[&#34;\u003c&#34;]}`, "new.action", "thing:1", "user 8", "!Back to the newest")
	if title, capacity := strings.Index(w.Body.String(), ">Title<"), strings.Index(w.Body.String(), ">Capacity<"); title > capacity {
		t.Error("fields come in another order than in the form")
	}
	next := regexp.MustCompile(`href="(/admin/audit\?cursor=[^"]+)"`).FindStringSubmatch(w.Body.String())
	if next == nil {
		t.Fatal("there are no older ones")
	}
	wantPage(t, f.adminGet(next[1]), 200, "show 21", "!show 42", "Back to the newest", "!Older ones")
	wantPage(t, f.adminGet("/admin/audit?cursor=x"), 422)
	f.ledger.err = errors.New("invalid connection")
	wantPage(t, f.adminGet("/admin/audit"), 503)
}
