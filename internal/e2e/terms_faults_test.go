package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// TestChangesAtOnce: eight admins change a show at once. What stands in the end is all of what one of them said.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	const admins, start = 8, 200
	d := deploy(t)
	show := d.Show(t, start, 0)
	a, b := d.start(t, "api"), d.start(t, "api")
	d.start(t, "worker")
	crowd := d.crowd(t, a, show, 16)
	servertest.Eventually(t, 10*time.Second, "some hold units", func() bool { return crowd.accepted() > 16 })
	was := d.poster(t, show)
	var all []chan sent
	for i := range admins {
		p := was
		p.Capacity += i / 2 // so that some only change the title of what another one made
		p.Title = fmt.Sprint(i)
		who := admin(t, []*process{a, b}[i%2])
		all = append(all, send(func() (reply, error) { return who.put(show, p) }))
	}
	done := map[string]bool{}
	for i, s := range all {
		switch r := <-s; {
		case r.err == nil && r.reply.Status == http.StatusOK:
			done[fmt.Sprint(i)] = true
		case r.err == nil && r.reply.code() == "resync_running":
		default:
			t.Errorf("admin %d: %+v", i, r)
		}
	}
	p := d.poster(t, show)
	if i, err := strconv.Atoi(p.Title); err != nil || !done[p.Title] || p.Capacity != start+i/2 {
		t.Errorf("the show is %+v; done: %v", p, done)
	}
	crowd.ended(t, d, "paused", "sold_out", "limit_reached", "pending")
	d.sound(t)
}

// TestChangeMeetsResync: while another resync holds the show, its capacity cannot be changed, its times can, and those stay.
func TestChangeMeetsResync(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 4)
	redis, mysql, env := d.proxies(t)
	a, b := d.start(t, "api"), d.start(t, "api", env...)
	d.start(t, "worker")
	customer := caller{url: a.url, token: token(t, 1), http: http.DefaultClient}
	if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
		t.Fatalf("book: %+v, %v", r, err)
	}
	h := d.holdAt(t, stepOf(t, "load"), show, redis, mysql) // it has read the old times long before
	resync := send(func() (reply, error) { return admin(t, b).resync(show, "") })
	h.came(t)
	d.edit(t, a, show, 409, "resync_running", func(p *poster) { p.Capacity = 20 })
	d.edit(t, a, show, 200, "", func(p *poster) { p.Closes, p.Title = time.Now().Add(-time.Second), "Over" })
	h.let(systemtest.Deliver)
	if r := <-resync; r.err != nil || r.reply.Status != http.StatusOK {
		t.Errorf("the resync, let go: %+v", r)
	}
	if r, err := customer.book(show, 1); err != nil || r.code() != "closed" {
		t.Errorf("book after it: %+v, %v; want closed", r, err)
	}
	if p := d.poster(t, show); p.Title != "Over" || p.Capacity != 10 {
		t.Errorf("the show is %+v", p)
	}
	d.edit(t, a, show, 200, "", func(p *poster) { p.Capacity, p.Closes = 20, time.Now().Add(time.Hour) })
	if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
		t.Errorf("book when it is open again: %+v, %v", r, err)
	}
	d.sound(t)
}

// TestChangeWithoutWorker: the resync records what is pending by itself.
func TestChangeWithoutWorker(t *testing.T) {
	t.Parallel()
	const pending = 20
	d := deploy(t)
	show := d.Show(t, 100, 0)
	a := d.start(t, "api")
	r := d.run(t, show, pending, 8, nil)
	if len(r.accepted) != pending {
		t.Fatalf("answers %v", r.codes)
	}
	d.edit(t, a, show, 409, "capacity_below_reserved", func(p *poster) { p.Capacity = pending - 1 })
	d.edit(t, a, show, 200, "", func(p *poster) { p.Capacity = pending + 1 })
	if n := d.ended(t, show, r.accepted); n != pending {
		t.Errorf("%d confirmed, want %d", n, pending)
	}
	if got := seen(t, a, show, "capacity", "left"); got != spaced(pending+1, 1) {
		t.Errorf("customers see %s", got)
	}
	d.sound(t)
}

// TestChangeWithLostCommit: the commit of a change, or its answer, gets lost. A change is whole or was not made, and the same
// request again makes it.
func TestChangeWithLostCommit(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	_, mysql, env := d.proxies(t)
	b := d.start(t, "api", env...)
	d.start(t, "worker")
	for name, fate := range map[string]systemtest.Fate{"commit": systemtest.LoseRequest, "answer": systemtest.LoseAnswer} {
		for which := 1; which <= 2; which++ {
			t.Run(name+" "+strconv.Itoa(which), func(t *testing.T) {
				show := d.Show(t, 10, 0)
				customer := d.as(t, 1)
				if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
					t.Fatalf("book: %+v, %v", r, err)
				}
				commits := 0
				mysql.Rule(func(request []byte) systemtest.Fate { // one is after the other: they belong to one request
					if bytes.HasSuffix(request, []byte("COMMIT")) {
						if commits++; commits == which {
							return fate
						}
					}
					return systemtest.Deliver
				})
				p := d.poster(t, show)
				old := p
				p.Capacity, p.Title, p.Closes = 20, "Changed", time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
				r, err := admin(t, b).put(show, p)
				mysql.Rule(nil)
				if commits < which {
					t.Fatalf("%d commits only", commits)
				}
				if err != nil || r.Status != http.StatusOK && r.Status != http.StatusServiceUnavailable {
					t.Errorf("the answer: %+v, %v", r, err)
				}
				d.goesOn(t, show)
				want, code := old, ""
				if now := d.poster(t, show); now.Capacity == 20 {
					want, code = p, "closed"
				} else if r.Status == http.StatusOK {
					t.Error("the answer is 200, and nothing was changed")
				}
				if now := d.poster(t, show); now != want {
					t.Errorf("half of the change was made: %+v, want %+v", now, want)
				}
				if r, err := customer.book(show, 1); err != nil || r.code() != code {
					t.Errorf("book: %+v, %v; want %q", r, err, code)
				}
				if r, err := admin(t, b).put(show, p); err != nil || r.Status != http.StatusOK {
					t.Errorf("the same change again: %+v, %v", r, err)
				}
				if now := d.poster(t, show); now != p {
					t.Errorf("the show is %+v, want %+v", now, p)
				}
			})
		}
	}
	d.sound(t)
}
