package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// everyPage puts shows on in every state, books in every status, adds what is extreme, and says what pages there are, and with which
// tokens they are seen.
func (d *deployment) everyPage(t *testing.T) (pages []sitePage, tokens map[string]string) {
	t.Helper()
	api := d.start(t, "api")
	boss := admin(t, api)
	worker := d.start(t, "worker")
	day := 24 * time.Hour
	word := strings.Repeat("Donaudampfschifffahrt", 4)[:80]
	sale := d.stage(t, stage{title: "호두까기 인형", venue: "예술의전당 오페라극장", description: "차이콥스키의 발레.\n\n2막 3장.", price: 120000, capacity: 1240, limit: 4, starts: 5 * day})
	long := d.stage(t, stage{title: word, venue: word, description: strings.Repeat("이야기가 길고 길다. "+word+" ", 200)[:10000], capacity: 2, limit: 1, starts: 6 * day})
	many := d.stage(t, stage{title: "Open Air", venue: "Olympic Park", capacity: 99999, price: 999999, starts: 7 * day})
	soon := d.stage(t, stage{title: "지젤", venue: "국립극장", capacity: 300, limit: 2, price: 55000, opens: 90 * time.Minute, starts: 8 * day})
	d.stage(t, stage{title: "Later", capacity: 300, opens: 3 * day, starts: 9 * day})
	gone := d.stage(t, stage{title: "마술피리", capacity: 2, starts: 2 * day})
	closed := d.stage(t, stage{title: "Don Giovanni", capacity: 50, starts: time.Hour, closes: -time.Minute})
	ended := d.stage(t, stage{title: "Tosca", capacity: 50, opens: -3 * day, starts: -time.Hour})
	chamber := int64(0)
	for i := range 14 {
		chamber = d.stage(t, stage{title: fmt.Sprintf("Chamber Music No. %d", i+1), venue: "IBK Hall", capacity: 30, price: 30000, starts: time.Duration(10+i) * day})
	}
	me := d.signUp(t, "customer.with.a.long.address@subdomain.example.com")
	tokens = map[string]string{"customer": token(t, me), "newcomer": token(t, d.signUp(t, "new@example.com")), "hurried": token(t, 71), "admin": boss.token}

	book := func(show int64, units int, wait string) string {
		t.Helper()
		r, err := d.as(t, me).book(show, units, "Prefer: wait="+wait)
		if err != nil || r.id() == "" {
			t.Fatalf("book: %+v, %v", r, err)
		}
		return bookedAt(show) + r.id()
	}
	confirmed, cancelled := book(sale, 2, "5"), book(many, 1, "5")
	book(gone, 2, "5")
	book(long, 1, "5")
	if r := d.as(t, me).must(t, "DELETE", "/api/v1"+cancelled, "", "Prefer: wait=5"); r.Status != 200 {
		t.Fatalf("cancel: %+v", r)
	}
	rejected := map[string]string{}
	for _, reason := range []string{"sold_out", "limit_reached", "lost", "error"} {
		at := book(many, 1, "5")
		id := strings.ReplaceAll(strings.TrimPrefix(at, bookedAt(many)), "-", "")
		if _, err := d.DB.Exec("UPDATE reservations SET status = 'rejected', reason = ? WHERE id = UNHEX(?)", reason, id); err != nil {
			t.Fatal(err)
		}
		rejected[reason] = at
	}
	letter := d.deadLetter(t, sale)
	boss.must(t, "POST", fmt.Sprintf("/api/v1/admin/shows/%d/stock/resync", many), "")
	d.edit(t, api, soon, 200, "", func(p *poster) { p.Title += " (특별 공연)" })
	cancelling := book(many, 3, "5")
	refusals := d.refusals(t, me, chamber)
	worker.terminate(t) // from here on all stays pending
	pending := book(sale, 1, "0")
	d.as(t, me).must(t, "DELETE", "/api/v1"+cancelling, "")

	show := func(id int64) string { return fmt.Sprint("/shows/", id) }
	edit := func(id int64) string { return fmt.Sprint("/admin/shows/", id) }
	resync := func(id int64) string { return fmt.Sprintf("/admin/stock/%d/resync", id) }
	pages = []sitePage{
		{"home", "/", "", nil},
		{"home-customer", "/", "customer", nil},
		{"home-admin", "/", "admin", nil},
		{"search-empty", "/search", "", nil},
		{"search-none", "/search?q=nothing", "", nil},
		{"search", "/search?q=chamber", "", nil},
		{"search-too-long-422", "/search?q=" + strings.Repeat("a", 300), "", nil},
		{"show", show(sale), "customer", nil},
		{"show-extreme", show(long), "", nil},
		{"show-many", show(many), "", nil},
		{"show-upcoming", show(soon), "", nil},
		{"show-sold-out", show(gone), "", nil},
		{"show-closed", show(closed), "", nil},
		{"show-ended", show(ended), "", nil},
		{"show-refused-422", show(sale), "customer", refused("units", "900")},
		{"show-sold-out-409", show(gone), "customer", refused("units", "1")},
		{"show-limit-409", show(sale), "customer", refused("units", "2")},
		{"show-upcoming-409", show(soon), "customer", refused("units", "1")},
		{"show-closed-409", show(closed), "customer", refused("units", "1")},
		{"problem-403", "/admin/shows", "customer", nil},
		{"problem-404", "/nowhere", "", nil},
		{"problem-409", pending + "/calendar.ics", "customer", nil},
		{"problem-413", "/admin/shows/new", "admin", submitted("description", strings.Repeat("long ", 1<<16))},

		{"login", "/login", "", nil},
		{"login-needed-401", "/reservations", "", nil},
		{"login-refused-401", "/login", "", refused("email", "kim@example.com", "password", "wrong")},
		{"signup", "/signup", "", nil},
		{"login-often-429", "/login", "", often},
		{"signup-taken-409", "/signup", "", refused("name", "Kim", "email", "new@example.com", "password", passphrase)},
		{"signup-refused-422", "/signup", "", refused("name", "Kim", "email", "new@example.com", "password", "short")},
		{"password", "/password", "customer", nil},
		{"password-refused-422", "/password", "customer", refused("current", "wrong", "new", "short")},
		{"mine", "/reservations", "customer", nil},
		{"mine-empty", "/reservations", "newcomer", nil},
		{"reservation-confirmed", confirmed, "customer", nil},
		{"reservation-pending", pending, "customer", nil},
		{"reservation-cancelling", cancelling, "customer", nil},
		{"reservation-cancelled", cancelled, "customer", nil},
		{"reservation-sold-out", rejected["sold_out"], "customer", nil},
		{"reservation-limit", rejected["limit_reached"], "customer", nil},
		{"reservation-lost", rejected["lost"], "customer", nil},
		{"reservation-error", rejected["error"], "customer", nil},
		{"reservation-404", confirmed, "newcomer", nil},
		{"cancel", confirmed + "/cancel", "customer", nil},
		{"cancel-not", rejected["lost"] + "/cancel", "customer", nil},
		{"cancel-dialog", confirmed, "customer", asked},

		{"admin-shows", "/admin/shows", "admin", nil},
		{"admin-new", "/admin/shows/new", "admin", nil},
		{"admin-new-refused-422", "/admin/shows/new", "admin", refused("title", "Swan Lake", "price", "-1", "time_zone", "Mars", "capacity", "0")},
		{"admin-edit", edit(sale), "admin", nil},
		{"admin-edit-extreme", edit(long), "admin", nil},
		{"admin-stock", "/admin/stock", "admin", nil},
		{"admin-resync", resync(soon), "admin", nil},
		{"admin-resync-dialog", "/admin/stock", "admin", asked},
		{"admin-queue", "/admin/queue", "admin", nil},
		{"admin-drop", "/admin/dead-letters/" + letter + "/drop", "admin", nil},
		{"admin-audit", "/admin/audit", "admin", nil},
		{"admin-image-413", edit(sale), "admin", overfed},
	}
	return append(pages, refusals...), tokens
}

// asked presses the first thing that asks something in a dialog.
func asked(v *visitor) {
	v.t.Helper()
	v.press("#main [data-dialog]")
	v.until("something is asked", `document.querySelector('dialog')?.open === true`)
}

// deadLetter brings in bytes that cannot be decoded, and returns what they are called.
func (d *deployment) deadLetter(t *testing.T, show int64) (id string) {
	t.Helper()
	shard := d.Shards.Of(show)
	if err := d.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: d.Shards.Entries(shard), Values: []any{"kind", "nonsense", "bytes", "\xff\x00<b>"}}).Err(); err != nil {
		t.Fatal(err)
	}
	at := caller{url: d.url, token: adminToken(t), http: d.as(t, 1).http}
	eventually(t, "there is a dead letter", func() bool {
		letters, _ := at.must(t, "GET", "/api/v1/admin/dead-letters", "").Body["dead_letters"].([]any)
		for _, letter := range letters {
			id, _ = letter.(map[string]any)["id"].(string)
		}
		return id != ""
	})
	return id
}
