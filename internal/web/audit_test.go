package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
)

// ledger has records, the newest first.
type ledger struct {
	records []auditlog.Record
	err     error
}

func (l *ledger) Page(_ context.Context, before int64, limit int) (page []auditlog.Record, more bool, err error) {
	for _, r := range l.records {
		if before != 0 && r.ID >= before {
			continue
		}
		if len(page) == limit {
			return page, true, l.err
		}
		page = append(page, r)
	}
	return page, false, l.err
}

func TestListAudit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	const path = "/api/v1/admin/audit"
	if got := f.do("GET", path, "", token).Body.String(); got != `{"records":[],"next_cursor":null}`+"\n" {
		t.Errorf("nothing was done: %s", got)
	}
	f.people.user = account.User{ID: 7, Email: "kim@example.com", Name: "Kim"}
	f.ledger.records = []auditlog.Record{
		{ID: 3, At: noon, Action: auditlog.DistrustStock, Object: "stock", Details: json.RawMessage(`{"shows":24}`)},
		{ID: 2, At: noon, By: auditlog.Actor{UserID: 7, IP: "192.0.2.1", RequestID: "r-1"}, Action: auditlog.SetImage, Object: "show:42", Details: json.RawMessage(`{}`)},
		{ID: 1, At: noon, By: auditlog.Actor{UserID: 8}, Action: auditlog.CreateShow, Object: "show:42", Details: json.RawMessage(`{}`)},
	}
	const want = `{"records":[` +
		`{"id":3,"at":"2026-05-03T12:00:00Z","actor":null,"action":"stock.distrust","object":"stock","details":{"shows":24},"ip":"","request_id":""},` +
		`{"id":2,"at":"2026-05-03T12:00:00Z","actor":{"id":7,"email":"kim@example.com","name":"Kim"},"action":"show.image","object":"show:42","details":{},"ip":"192.0.2.1","request_id":"r-1"},` +
		`{"id":1,"at":"2026-05-03T12:00:00Z","actor":{"id":8,"email":"","name":""},"action":"show.create","object":"show:42","details":{},"ip":"","request_id":""}` +
		`],"next_cursor":null}` + "\n"
	if diff := cmp.Diff(want, f.do("GET", path, "", token).Body.String()); diff != "" {
		t.Error(diff)
	}

	type page struct {
		Records    []recordJSON `json:"records"`
		NextCursor *string      `json:"next_cursor"`
	}
	first := decode[page](t, f.do("GET", path+"?limit=2", "", token))
	if len(first.Records) != 2 || first.NextCursor == nil {
		t.Fatalf("got %+v", first)
	}
	f.ledger.records = append([]auditlog.Record{{ID: 4, At: noon, Details: json.RawMessage(`{}`)}}, f.ledger.records...)
	if next := decode[page](t, f.do("GET", path+"?limit=2&cursor="+*first.NextCursor, "", token)); len(next.Records) != 1 || next.Records[0].ID != 1 || next.NextCursor != nil {
		t.Errorf("got %+v", next)
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=x", "cursor=x", "cursor=" + recordCursor(auditlog.Record{At: noon}),
		"cursor=" + recordCursor(auditlog.Record{At: noon, ID: -1})} {
		if p := wantProblem(t, f.do("GET", path+"?"+query, "", token), 422, "invalid"); p.Errors[0].Field != strings.Split(query, "=")[0] {
			t.Errorf("%s: %v", query, p.Errors)
		}
	}
	f.people.err = errors.New("invalid connection")
	wantProblem(t, f.do("GET", path, "", token), 503, "unavailable")
	f.people.err, f.ledger.err = nil, errors.New("invalid connection")
	wantProblem(t, f.do("GET", path, "", token), 503, "unavailable")
}

// A cursor of one list is refused by every other.
func TestCursorsOfOtherLists(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	cursors := map[string]string{
		"/api/v1/shows":              place{0, noon, 1}.cursor(0),
		"/api/v1/reservations":       positionCursor(positionOf(booked("confirmed"))),
		"/api/v1/admin/audit":        recordCursor(auditlog.Record{ID: 1, At: noon}),
		"/api/v1/admin/dead-letters": letterCursor(letterIDs(t, "1-1777809600000-0")[0]),
	}
	for path := range cursors {
		for of, cursor := range cursors {
			w := f.do("GET", path+"?cursor="+cursor, "", f.token(1, account.Admin))
			if refused := w.Code == 422; refused != (of != path) && path != "/api/v1/shows" || of != path && !refused {
				t.Errorf("%s with the cursor of %s: %d", path, of, w.Code)
			}
		}
	}
}

// Whoever changes something is handed down with where he is and what his request is called; clients cannot make up the former.
func TestActor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}) // httptest's peer is 192.0.2.1
	f.shelf.put(9, -time.Hour, time.Hour, 2*time.Hour, f.shelf.levels[9])
	headers := []string{f.token(7, account.Admin), "X-Forwarded-For: 203.0.113.9, ::ffff:198.51.100.7", "X-Request-Id: r-1"}
	want := auditlog.Actor{UserID: 7, IP: "198.51.100.7", RequestID: "r-1"}
	for _, request := range [][3]string{
		{"POST", "/api/v1/admin/shows", newShow}, {"PUT", "/api/v1/admin/shows/9", newShow}, {"POST", "/api/v1/admin/shows/9/stock/resync", ""},
		{"DELETE", "/api/v1/admin/dead-letters/1-2-3", ""},
	} {
		f.back.by, f.graves.by = auditlog.Actor{}, auditlog.Actor{}
		f.do(request[0], request[1], request[2], headers...)
		if f.back.by != want && f.graves.by != want {
			t.Errorf("%v: by %+v or %+v", request, f.back.by, f.graves.by)
		}
	}
	f.upload("/api/v1/admin/shows/9/image", "pixels", append(headers, "Content-Type: image/png")...)
	if f.gallery.by != want {
		t.Errorf("image: by %+v", f.gallery.by)
	}

	// An id that is too long for the log, or could break a line, is not taken over.
	for _, id := range []string{strings.Repeat("x", 65), "a\tb", ""} {
		f.do("POST", "/api/v1/admin/shows", newShow, headers[0], "X-Request-Id: "+id)
		if got := f.back.by; got.RequestID == id || got.RequestID == "" || len(got.RequestID) > 64 || got.IP != "192.0.2.1" {
			t.Errorf("%q: by %+v", id, got)
		}
	}
}
