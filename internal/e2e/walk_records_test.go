package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

const (
	letters = "GET /api/v1/admin/dead-letters"
	drop    = "DELETE /api/v1/admin/dead-letters/{id}"
	audits  = "GET /api/v1/admin/audit"
)

// records is what could not be decoded, and who did what.
func (w *walk) records(t *testing.T) {
	boss, show := admin(t, w.api), w.Show(t, 5, 0)
	w.ask(t, line{"so that its stream is there", w.api.as(t, 71), book, show, one, wait, "201", ""})
	for range 2 {
		if err := w.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: w.Shards.Entries(w.Shards.Of(show)), Values: []string{"kind", "\xff"}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	page := line{"a worker buried two", boss, letters + "?limit=1", "", "", "", "200", "dead_letters.0.id dead_letters.0.reason next_cursor"}
	servertest.Eventually(t, 10*time.Second, "two are buried", func() bool { return page.send(t).Body["next_cursor"] != nil })
	found := w.ask(t, page)
	wantFields(t, "a page", found.Body, "dead_letters next_cursor")
	letter := field(found.Body, "dead_letters.0")
	wantFields(t, "a dead letter", letter, "buried_at entry_id fields id reason shard")
	id, next := field(letter, "id"), fmt.Sprint(found.Body["next_cursor"])
	w.ask(t,
		line{"the next page", boss, letters + "?limit=1&cursor=" + next, "", "", "", "200", "dead_letters.0.id dead_letters.0.fields.kind=\\xff"},
		line{"no limit", boss, letters + "?limit=0", "", "", "", "422 invalid", "errors=limit"},
		line{"a cursor made up", boss, letters + "?cursor=17", "", "", "", "422 invalid", "errors=cursor"},
		line{"twice", boss, letters + "?limit=1&limit=2", "", "", "", "400 malformed", "errors=limit"},
		line{"dropped", boss, drop, id, "", "", "204", ""},
		line{"again", boss, drop, id, "", "", "404 not_found", ""},
		line{"a deed", boss, audits + "?limit=1", "", "", "", "200", "records.0.action records.0.object records.0.at records.0.ip=127.0.0.1"},
		line{"another deed", boss, create, "", posterWith(t, func(*poster) {}), "", "201", ""},
	)
	deeds := w.ask(t,
		line{"a letter's cursor", boss, audits + "?cursor=" + next, "", "", "", "422 invalid", "errors=cursor"},
		line{"no limit", boss, audits + "?limit=x", "", "", "", "422 invalid", "errors=limit"},
		line{"half of a %", boss, audits + "?cursor=%", "", "", "", "400 malformed", "errors=cursor"},
		line{"all", boss, audits + "?limit=100", "", "", "", "200", "records.1.id"},
		line{"a page", boss, audits + "?limit=1", "", "", "", "200", "records.0.id next_cursor"},
	)
	wantFields(t, "a page", deeds.Body, "next_cursor records")
	wantFields(t, "a record", field(deeds.Body, "records.0"), "action actor at details id ip object request_id")
	w.ask(t, line{"the next page", boss, audits + "?limit=1&cursor=" + fmt.Sprint(deeds.Body["next_cursor"]), "", "", "", "200", "records.0.id"})
}
