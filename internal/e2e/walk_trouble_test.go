package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// limits has every call refused for its address, and one for its user.
func (w *walk) limits(t *testing.T) {
	nobody, anna := w.limited.as(t, 0), w.limited.as(t, 71)
	for call := range promises() {
		w.until(t, line{"too often from an address", nobody, call, 1, "", "X-Forwarded-For: 192.0.2.1", "429 too_many_requests", ""})
	}
	addresses := 0
	servertest.Eventually(t, 10*time.Second, "a user is refused wherever he comes from", func() bool {
		addresses++
		r := anna.must(t, "GET", "/api/v1/reservations", "", fmt.Sprint("X-Forwarded-For: 198.51.100.", addresses%250))
		return answerOf(r) == "429 too_many_requests" && r.Header.Get("Retry-After") != ""
	})
}

// paused meets a show that somebody else resyncs.
func (w *walk) paused(t *testing.T) {
	anna, boss, show := w.api.as(t, 71), admin(t, w.api), w.Show(t, 5, 0)
	booked := w.book(t, anna, show)
	if err := w.Redis.HSet(t.Context(), w.Shards.Show(show), "state", "paused", "token", "somebody", "paused_at", time.Now().UnixMilli()).Err(); err != nil {
		t.Fatal(err)
	}
	w.ask(t,
		line{"in a resync", anna, book, show, one, "", "503 paused", ""},
		line{"in a resync", anna, cancel, booked, "", "", "503 paused", ""},
		line{"in a resync", anna, cancelOld, booked, "", "", "503 paused", ""},
		line{"in a resync", boss, reset, show, "", "", "409 resync_running", "Retry-After"},
		line{"in a resync", boss, update, show, posterWith(t, func(p *poster) { p.Capacity = 6 }), "", "409 resync_running", "Retry-After"},
		line{"in a resync", anna, look, booked, "", "", "200", "status=confirmed"},
		line{"in a resync", anna, detail, show, "", "", "200", "state=paused capacity=5"},
	)
}

// trouble is an API whose servers do not answer, or not in time.
func (w *walk) trouble(t *testing.T) {
	nobody, anna, boss := w.troubled.as(t, 0), w.troubled.as(t, 71), admin(t, w.troubled)
	show, distrusted := w.Show(t, 5, 0), w.Show(t, 5, 0)
	booked, again := w.book(t, anna, show), w.book(t, anna, show)
	second, unknown := w.book(t, anna, distrusted), ticket{show, "00000000-0000-8000-8000-000000000000"}
	w.crowdOfHashes(t, w.troubled)

	if err := w.Redis.HSet(t.Context(), w.Shards.Show(distrusted), "state", "unloaded").Err(); err != nil {
		t.Fatal(err)
	}
	row := []byte(fmt.Sprintf("FROM stock WHERE show_id IN (%d)", distrusted))
	w.mysql.Rule(loses(systemtest.LoseRequest, row))
	w.ask(t,
		line{"cannot be loaded", anna, book, distrusted, one, "", "503 unloaded", ""},
		line{"cannot be loaded", anna, cancel, second, "", "", "503 unloaded", ""},
		line{"cannot be loaded", anna, cancelOld, second, "", "", "503 unloaded", ""},
	)
	w.mysql.Rule(nil)

	w.redis.Rule(loses(systemtest.LoseAnswer, []byte("evalsha"), []byte("\nhget\r")))
	w.ask(t,
		line{"no answer", anna, book, show, one, "Idempotency-Key: k", "503 unknown", "Idempotency-Key=k"},
		line{"no answer", anna, cancel, booked, "", "", "503 unknown", ""},
		line{"no answer", anna, cancelOld, again, "", "", "503 unknown", ""},
	)
	w.redis.Rule(nil)
	w.ask(t,
		line{"the same key tells", anna, book, show, one, wait + "\nIdempotency-Key: k", "200", "Location status=confirmed"},
		line{"the same again", anna, cancel, booked, "", wait, "200", "status=cancelled"},
		line{"the same again", anna, cancelOld, again, "", wait, "200", "status=cancelled"},
	)

	servertest.Eventually(t, 10*time.Second, "memory knows the show", func() bool {
		ids := fmt.Sprintln(field(nobody.must(t, "GET", "/api/v1/shows?limit=100&q=test", "").Body, "shows"))
		return strings.Contains(ids, fmt.Sprint(" id:", show, " "))
	})
	w.mysql.Cut()
	const kim = `{"email":"trouble@example.com","password":"correct horse","name":"Kim"}`
	w.ask(t,
		line{"MySQL is away", nobody, signUp, "", kim, "", "503 unavailable", ""},
		line{"MySQL is away", nobody, logIn, "", strings.Replace(kim, `,"name":"Kim"`, "", 1), "", "503 unavailable", ""},
		line{"MySQL is away", anna, me, "", "", "", "503 unavailable", ""},
		line{"MySQL is away", anna, newPassword, "", `{"current":"correct horse","new":"battery staple"}`, "", "503 unavailable", ""},
		line{"MySQL is away", anna, mine, "", "", "", "503 unavailable", ""},
		line{"MySQL is away, a marker tells", anna, look, second, "", "", "200", "status=pending Reservation-Provisional=true"},
		line{"MySQL is away, a marker tells", anna, lookOld, second, "", "", "200", "status=pending Reservation-Provisional=true"},
		line{"MySQL is away, waited for", anna, look, second, "", "Prefer: wait=1", "200", "status=pending Reservation-Provisional=true"},
		line{"MySQL is away, after a cancel", anna, look, booked, "", "", "200", "status=cancelling Reservation-Provisional=true"},
		line{"MySQL is away, no marker", anna, look, unknown, "", "", "503 unavailable", ""},
		line{"MySQL is away, no marker", anna, lookOld, unknown, "", "", "503 unavailable", ""},
		line{"MySQL is away, the same key", anna, book, show, one, "Idempotency-Key: k", "200", "Location status=pending Reservation-Provisional=true"},
		line{"MySQL is away", anna, cancel, booked, "", "", "503 unavailable", ""},
		line{"MySQL is away", anna, cancelOld, booked, "", "", "503 unavailable", ""},
		line{"MySQL is away", boss, create, "", posterWith(t, func(*poster) {}), "", "503 unavailable", ""},
		line{"MySQL is away", boss, update, show, posterWith(t, func(*poster) {}), "", "503 unavailable", ""},
		line{"MySQL is away", boss, setImage, show, photo(t, 9, 9, 9), "Content-Type: image/jpeg", "503 unavailable", ""},
		line{"MySQL is away", boss, stocks, "", "", "", "503 unavailable", ""},
		line{"MySQL is away", boss, reset, show, "", "", "503 unavailable", ""},
		line{"MySQL is away", boss, audits, "", "", "", "503 unavailable", ""},
		line{"one that memory does not know", nobody, detail, 987654, "", "", "503 unavailable", ""},
		line{"one that memory does not know", nobody, newsCall + "?shows=987654", "", "", "", "503 unavailable", ""},
		line{"one that memory does not know", anna, book, 987654, one, "", "503 unavailable", ""},
		line{"MySQL is away", nobody, detail, show, "", "", "200", "capacity=5 state=on_sale"},
		line{"MySQL is away", nobody, list, "", "", "", "200", "shows.0.id"},
		line{"MySQL is away", anna, book, show, one, "", "202", "status=pending"},
	)
	w.redis.Cut()
	w.ask(t,
		line{"Redis is away", boss, letters, "", "", "", "503 unavailable", ""},
		line{"Redis is away", boss, drop, "0-1-0", "", "", "503 unavailable", ""},
	)
}

// loses is a rule under which requests that hold one of some words meet a fate.
func loses(fate systemtest.Fate, words ...[]byte) func([]byte) systemtest.Fate {
	return func(request []byte) systemtest.Fate {
		for _, word := range words {
			if bytes.Contains(request, word) {
				return fate
			}
		}
		return systemtest.Deliver
	}
}

// fence is a system whose guardians died: an API that cannot guard comes up.
func (w *walk) fence(t *testing.T) {
	d := deploy(t)
	show := d.Show(t, 5, 0)
	api, worker := d.launch(t, "api"), d.start(t, "worker")
	api.ready(t)
	booked := w.book(t, api.as(t, 71), show)
	for _, p := range []*process{api, worker} {
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	redis, _, viaProxies := d.proxies(t)
	redis.Rule(loses(systemtest.LoseRequest, []byte("subscribe")))
	guardless := d.launch(t, "api", viaProxies...) // it is never ready
	servertest.Eventually(t, 20*time.Second, "the API answers", func() bool { return status(t, guardless.url+"/api/v1/shows") == http.StatusOK })
	anna := guardless.as(t, 71)
	w.ask(t,
		line{"nobody guards", anna, book, show, one, "", "503 fenced", ""},
		line{"nobody guards", anna, cancel, booked, "", "", "503 fenced", ""},
		line{"nobody guards", anna, cancelOld, booked, "", "", "503 fenced", ""},
		line{"nobody guards", anna, look, booked, "", "", "200", "status=confirmed"},
	)
}

// looksAlive has a worker show up that records nothing, or the API would record a show's entries itself.
func (d *deployment) looksAlive(t *testing.T, show int64) {
	t.Helper()
	systemtest.Go(t, func(ctx context.Context) error {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			err := d.Redis.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "recorders", Consumer: "idle", Count: 1, Block: -1,
				Streams: []string{d.Shards.Entries(d.Shards.Of(show)), "0"}}).Err() // of its own entries, which are none
			if err != nil && ctx.Err() == nil {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	})
}

// noWorker is a system in which nothing is recorded: one unsettled entry of a show is as many as it takes.
func (w *walk) noWorker(t *testing.T) {
	d := deploy(t, "NETICKET_MAX_BACKLOG=1")
	api := d.start(t, "api")
	anna, boss := api.as(t, 71), admin(t, api)
	shows := []int64{d.Show(t, 5, 0), d.Show(t, 5, 0)}
	var booked ticket
	for _, show := range shows {
		booked = ticket{show, w.ask(t, line{"nobody records", anna, book, show, one, "", "202", "Location status=pending"}).id()}
		d.looksAlive(t, show)
	}
	waiting := send(func() (reply, error) {
		return boss.put(shows[0], poster{"T", "V", time.Now().Add(time.Hour), time.Now(), time.Now().Add(time.Hour), 6, 0})
	})
	w.ask(t,
		line{"as many as may wait", anna, book, shows[1], one, "", "503 busy", ""},
		line{"nobody records", anna, cancel, booked, "", "", "409 pending", "Retry-After"},
		line{"nobody records", anna, cancelOld, booked, "", "", "409 pending", "Retry-After"},
		line{"nobody records, waited for", anna, look, booked, "", "Prefer: wait=1", "200", "Preference-Applied=wait=1 status=pending"},
		line{"nobody records", anna, mine, "", "", "", "200", "reservations.1.status=pending"},
		line{"nobody records", boss, reset, shows[1], "", "", "503 not_drained", ""},
		line{"as it was", anna, look, booked, "", "", "200", "status=pending"},
	)
	last := <-waiting
	w.check(t, line{"nobody records", boss, update, shows[0], "", "", "503 not_drained", ""}, last.reply)
	w.ask(t, line{"as it was", anna, detail, shows[0], "", "", "200", "title=Test capacity=5 left=4"})
}
