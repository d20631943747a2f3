package web

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stream"
)

// graves has dead letters, the newest first.
type graves struct {
	letters []stream.Letter
	before  stream.LetterID
	limit   int
	more    bool
	dropped []stream.LetterID
	by      auditlog.Actor
	err     error
}

func (g *graves) Letters(_ context.Context, before stream.LetterID, limit int) ([]stream.Letter, bool, error) {
	g.before, g.limit = before, limit
	return g.letters, g.more, g.err
}

func (g *graves) Drop(_ context.Context, by auditlog.Actor, id stream.LetterID) error {
	g.dropped, g.by = append(g.dropped, id), by
	return g.err
}

func letterIDs(t *testing.T, texts ...string) (ids []stream.LetterID) {
	t.Helper()
	for _, text := range texts {
		id, ok := stream.ParseLetterID(text)
		if !ok {
			t.Fatal(text)
		}
		ids = append(ids, id)
	}
	return ids
}

func positionOf(r booking.Reservation) booking.Position {
	return booking.Position{BookedAt: r.BookedAt, ID: r.ID}
}

func TestListDeadLetters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	const path = "/api/v1/admin/dead-letters"
	if got := f.do("GET", path, "", token).Body.String(); got != `{"dead_letters":[],"next_cursor":null}`+"\n" || f.graves.limit != 20 {
		t.Errorf("none: %s", got)
	}
	id := letterIDs(t, "3-1777809600000-7")[0]
	f.graves.letters = []stream.Letter{{ID: id, Shard: 3, Entry: "1777809599000-0", BuriedAt: id.BuriedAt(), Reason: `kind "<" is not allowed`,
		Fields: stream.Fields{{Name: "v", Value: "1"}, {Name: "kind", Value: "<\xff\x00\\"}, {Name: "v", Value: "예"}}}}
	const want = `{"dead_letters":[{"id":"3-1777809600000-7","shard":3,"entry_id":"1777809599000-0","buried_at":"2026-05-03T12:00:00Z",` +
		`"reason":"kind \"\u003c\" is not allowed","fields":{"v":"1","kind":"\u003c\\xff\\x00\\\\","v\\#2":"예"}}],"next_cursor":null}` + "\n"
	if diff := cmp.Diff(want, f.do("GET", path, "", token).Body.String()); diff != "" {
		t.Error(diff)
	}
	f.graves.more = true
	page := decode[struct {
		DeadLetters []any  `json:"dead_letters"`
		NextCursor  string `json:"next_cursor"`
	}](t, f.do("GET", path+"?limit=1", "", token))
	if w := f.do("GET", path+"?cursor="+page.NextCursor, "", token); w.Code != 200 || f.graves.before != id {
		t.Errorf("the next page: %d, before %v", w.Code, f.graves.before)
	}
	for _, query := range []string{"limit=0", "cursor=x", "cursor=" + id.String()} {
		wantProblem(t, f.do("GET", path+"?"+query, "", token), 422, "invalid")
	}
	f.graves.err = errors.New("EOF")
	wantProblem(t, f.do("GET", path, "", token), 503, "unavailable")
}

func TestDropDeadLetter(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	token := f.token(1, account.Admin)
	const path = "/api/v1/admin/dead-letters/"
	if w := f.do("DELETE", path+"3-1777809600000-7", "", token); w.Code != 204 || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(letterIDs(t, "3-1777809600000-7"), f.graves.dropped); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"1", "3-1-", "03-1-1", "3-1-1%20", "3-1-1-1", "-"} {
		wantProblem(t, f.do("DELETE", path+id, "", token), 404, "not_found")
	}
	if len(f.graves.dropped) != 1 {
		t.Errorf("dropped %v", f.graves.dropped)
	}
	f.graves.err = stream.ErrNoLetter
	wantProblem(t, f.do("DELETE", path+"3-1-1", "", token), 404, "not_found")
	f.graves.err = errors.New("invalid connection")
	wantProblem(t, f.do("DELETE", path+"3-1-1", "", token), 503, "unavailable")
}
