package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// TestChangeKilled: the API dies in the midst of a change. It is whole or was not made, and the show is on sale soon.
func TestChangeKilled(t *testing.T) {
	t.Parallel()
	d := deploy(t, "NETICKET_TAKE_OVER=1s")
	redis, mysql, env := d.proxies(t)
	d.start(t, "worker")
	d.start(t, "flusher")
	for name, test := range map[string]struct {
		step, code string // code: of a booking afterwards
		fate       systemtest.Fate
	}{
		"before the commit": {"raise the epoch", "", systemtest.Deliver},
		"in the commit":     {"commit", "", systemtest.LoseRequest},
		"after the commit":  {"commit", "closed", systemtest.Deliver},
		"before the load":   {"load", "closed", systemtest.LoseRequest},
		"after the load":    {"load", "closed", systemtest.Deliver},
	} {
		t.Run(name, func(t *testing.T) {
			b := d.start(t, "api", env...)
			show := d.Show(t, 10, 4)
			customer := d.as(t, 1)
			if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
				t.Fatalf("book: %+v, %v", r, err)
			}
			want := d.poster(t, show)
			p := want
			p.Capacity, p.Title, p.Closes = 20, "Changed", time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
			if test.code != "" {
				want = p
			}
			h := d.holdAt(t, stepOf(t, "raise the epoch"), show, redis, mysql)
			put := send(func() (reply, error) { return admin(t, b).put(show, p) })
			h.came(t)
			if test.step != "raise the epoch" { // from there, as a transaction before it has a commit, too
				raise := h
				h = d.holdAt(t, stepOf(t, test.step), show, redis, mysql)
				raise.let(systemtest.Deliver)
				h.came(t)
			}
			if err := b.Kill(); err != nil {
				t.Fatal(err)
			}
			h.let(test.fate)
			<-put
			customer = caller{url: d.start(t, "api").url, token: customer.token, http: customer.http}
			servertest.Eventually(t, 10*time.Second, fmt.Sprintf("a booking is answered %q", test.code), func() bool {
				r, err := customer.book(show, 1, "Idempotency-Key: later")
				return err == nil && r.Status < 500 && r.code() == test.code
			})
			d.goesOn(t, show)
			if now := d.poster(t, show); now != want {
				t.Errorf("the show is %+v, want %+v", now, want)
			}
		})
	}
	d.sound(t)
}

// TestTimesReachRedis: an API stores new sale times and does not come to tell Redis. The flusher does.
func TestTimesReachRedis(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	redis, mysql, env := d.proxies(t)
	a := d.start(t, "api")
	d.start(t, "worker")
	d.start(t, "flusher")
	for _, s := range []struct {
		step
		fate systemtest.Fate
		kill bool
	}{
		{step{name: "commit", sent: `COMMIT$`}, systemtest.LoseAnswer, false},
		{step{name: "tell Redis", sent: `eval\s.*SHOW`}, systemtest.LoseRequest, false},
		{step{name: "tell Redis", sent: `eval\s.*SHOW`}, systemtest.LoseRequest, true},
	} {
		t.Run(fmt.Sprint(s.name, ", killed: ", s.kill), func(t *testing.T) {
			b := d.start(t, "api", env...)
			show := d.Show(t, 10, 0)
			customer := caller{url: a.url, token: token(t, 1), http: http.DefaultClient}
			if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
				t.Fatalf("book: %+v, %v", r, err)
			}
			p := d.poster(t, show)
			p.Closes = time.Now().Add(-time.Minute)
			h := d.holdAt(t, s.step, show, redis, mysql)
			put := send(func() (reply, error) { return admin(t, b).put(show, p) })
			h.came(t)
			if s.kill {
				if err := b.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			h.let(s.fate)
			if r := <-put; (r.err != nil) != s.kill || r.reply.Status >= 500 && r.reply.Status != http.StatusServiceUnavailable {
				t.Errorf("the answer: %+v", r)
			}
			servertest.Eventually(t, 5*time.Second, "the sale is closed", func() bool {
				r, err := customer.book(show, 1)
				return err == nil && r.code() == "closed"
			})
		})
	}
	d.sound(t)
}
