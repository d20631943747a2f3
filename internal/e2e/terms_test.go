package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// poster is what an admin says of a show.
type poster struct {
	Title    string    `json:"title"`
	Venue    string    `json:"venue"`
	Starts   time.Time `json:"starts_at"`
	Opens    time.Time `json:"sales_open_at"`
	Closes   time.Time `json:"sales_close_at"`
	Capacity int       `json:"capacity"`
	Limit    int       `json:"limit_per_user"`
}

// poster returns what MySQL holds of a show.
func (d *deployment) poster(t *testing.T, id int64) poster {
	t.Helper()
	s, err := d.Shows.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	row, err := d.Stock.Row(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return poster{s.Title, s.Venue, s.StartsAt, s.SalesOpenAt, s.SalesCloseAt, row.Capacity, row.Limit}
}

// put changes a show.
func (c caller) put(show int64, p poster) (reply, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return reply{}, err
	}
	return c.do(http.MethodPut, fmt.Sprintf("/api/v1/admin/shows/%d", show), string(body))
}

// edit changes a show by what change does to its poster, and wants a status, with a code if it is not 200.
func (d *deployment) edit(t *testing.T, at *process, show int64, status int, code string, change func(p *poster)) reply {
	t.Helper()
	p := d.poster(t, show)
	change(&p)
	r, err := admin(t, at).put(show, p)
	if err != nil || r.Status != status || r.code() != code {
		t.Errorf("put %+v: %d %v, %v; want %d %s", p, r.Status, r.Body, err, status, code)
	}
	return r
}

// seen returns fields of a show as a customer of a process sees it.
func seen(t *testing.T, at *process, show int64, fields ...string) string {
	t.Helper()
	r := caller{url: at.url, http: http.DefaultClient}.must(t, "GET", fmt.Sprintf("/api/v1/shows/%d", show), "")
	var values []any
	for _, field := range fields {
		values = append(values, r.Body[field])
	}
	return spaced(values...)
}

// spaced writes values with a space between any two.
func spaced(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

// wantSeen checks that customers see a change at once where it was made, and within a second or so at another process.
func wantSeen(t *testing.T, here, there *process, show int64, want string, fields ...string) {
	t.Helper()
	if got := seen(t, here, show, fields...); got != want {
		t.Errorf("right after the change, customers see %v of the show: %s, want %s", fields, got, want)
	}
	servertest.Eventually(t, 3*time.Second, fmt.Sprintf("customers of another API see %v: %s", fields, want), func() bool {
		return seen(t, there, show, fields...) == want
	})
}

// TestCapacityInASale: 100 to 120 to 90 with 95 reserved, while people ask for 30 units and get none.
func TestCapacityInASale(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 100, 0)
	a, b := d.start(t, "api"), d.start(t, "api")
	d.start(t, "worker")
	if n := d.ended(t, show, d.run(t, show, 95, 16, nil).accepted); n != 95 {
		t.Fatalf("%d reserved, want 95", n)
	}
	var told [4][]string
	var stops []func()
	for i := range told {
		asking := caller{url: a.url, token: token(t, int64(1000+i)), http: http.DefaultClient}
		stops = append(stops, systemtest.Go(t, func(ctx context.Context) error {
			for ctx.Err() == nil {
				r, err := asking.book(show, 30)
				if err != nil {
					return err
				}
				told[i] = append(told[i], spaced(r.code(), r.Body["left"]))
			}
			return nil
		}))
	}
	d.wantLeft(t, show, 5)
	r := d.edit(t, a, show, 200, "", func(p *poster) { p.Capacity = 120 })
	if spaced(r.Body["capacity"], r.Body["left"]) != "120 25" {
		t.Errorf("the answer to the change: %v", r.Body)
	}
	wantSeen(t, a, b, show, "120 25 on_sale", "capacity", "left", "state")

	before := d.cut(t, show).Row
	if r := d.edit(t, a, show, 409, "capacity_below_reserved", func(p *poster) { p.Capacity, p.Title = 90, "Smaller" }); r.Body["reserved"] != 95.0 {
		t.Errorf("the refusal: %v", r.Body)
	}
	if after := d.cut(t, show).Row; after != before || d.poster(t, show).Title != "Test" {
		t.Errorf("after the refusal: %+v, %s; before: %+v", after, d.poster(t, show).Title, before)
	}
	wantSeen(t, a, b, show, "120 25 on_sale", "capacity", "left", "state")
	d.edit(t, b, show, 200, "", func(p *poster) { p.Capacity = 95 })
	wantSeen(t, b, a, show, "95 0 sold_out", "capacity", "left", "state")
	d.edit(t, b, show, 200, "", func(p *poster) { p.Capacity = 121 })

	for i, stop := range stops {
		stop()
		slices.Sort(told[i])
		for _, answer := range slices.Compact(told[i]) {
			if !slices.Contains([]string{"sold_out 5", "sold_out 25", "sold_out 0", "sold_out 26", "paused <nil>"}, answer) {
				t.Errorf("one who asked for 30 units was told %s", answer)
			}
		}
	}
	// What is left can be sold, and no more: the first 95 of these repeat what they sent before.
	rest := d.run(t, show, 140, 16, nil)
	if rest.codes["200"] != 95 || rest.codes["202"] != 26 || rest.codes["sold_out"] != 19 {
		t.Errorf("the rest: %v; want 95 repeats, 26 sold, 19 refused", rest.codes)
	}
	if n := d.ended(t, show, rest.accepted); n != 121 {
		t.Errorf("%d reserved at the end, want 121", n)
	}
	d.sound(t)
}

// TestLimitInASale: a new limit counts what people already hold.
func TestLimitInASale(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 100_000, 0)
	a := d.start(t, "api")
	d.start(t, "worker")
	stop, done := make(chan struct{}), make(chan *rush, 1)
	go func() { done <- d.run(t, show, 90_000, 8, stop) }()

	book := func(user int64, units int, want string) string {
		t.Helper()
		var r reply
		servertest.Eventually(t, 10*time.Second, "an answer", func() (ok bool) {
			var err error
			r, err = d.as(t, user).book(show, units, "Prefer: wait=5")
			return err == nil && r.code() != "paused"
		})
		if got := spaced(r.Status, r.code(), r.Body["held"], r.Body["limit"]); got != want {
			t.Errorf("user %d books %d: %s, want %s", user, units, got, want)
		}
		return r.id()
	}
	const anna, ben, carl, confirmed = 100_001, 100_002, 100_003, "201  <nil> <nil>"
	three := book(anna, 3, confirmed)
	book(ben, 1, confirmed)
	d.edit(t, a, show, 200, "", func(p *poster) { p.Limit = 2 })
	book(anna, 1, "409 limit_reached 3 2")
	book(ben, 2, "409 limit_reached 1 2")
	book(ben, 1, confirmed)
	book(carl, 2, confirmed)
	book(carl, 1, "409 limit_reached 2 2")
	if r := d.as(t, anna).must(t, "DELETE", "/api/v1/reservations/"+three, "", "Prefer: wait=5"); r.Status != 200 {
		t.Errorf("cancel: %+v", r)
	}
	book(anna, 2, confirmed)
	book(anna, 1, "409 limit_reached 2 2")
	d.edit(t, a, show, 200, "", func(p *poster) { p.Limit = 0 })
	book(anna, 50, confirmed)

	close(stop)
	d.ended(t, show, (<-done).accepted)
	d.sound(t)
}

// TestSaleTimesInASale: a change of times or titles needs no resync.
func TestSaleTimesInASale(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 100_000, 0)
	a, b := d.start(t, "api"), d.start(t, "api")
	d.start(t, "worker")
	stop, done := make(chan struct{}), make(chan *rush, 1)
	go func() { done <- d.run(t, show, 90_000, 8, stop) }()
	servertest.Eventually(t, 10*time.Second, "the sale is on", func() bool { return d.cut(t, show).Row.Reserved > 100 })
	before := d.cut(t, show).Row
	wantBooked := func(want string) {
		t.Helper()
		for _, at := range []*process{a, b} { // Redis decides, so it holds for all at once
			r, err := caller{url: at.url, token: token(t, 100_001), http: http.DefaultClient}.book(show, 1, "Prefer: wait=5")
			if err != nil || spaced(r.Status, r.code()) != want {
				t.Errorf("book: %d %s, %v; want %s", r.Status, r.code(), err, want)
			}
		}
	}
	d.edit(t, a, show, 200, "", func(p *poster) { p.Title = "백조의 호수" })
	wantSeen(t, a, b, show, "백조의 호수 on_sale", "title", "state")
	wantBooked("201 ")
	d.edit(t, a, show, 200, "", func(p *poster) { p.Closes = time.Now().Add(-time.Second) })
	wantBooked("409 closed")
	wantSeen(t, a, b, show, "closed", "state")
	d.edit(t, a, show, 200, "", func(p *poster) { p.Closes = time.Now().Add(time.Hour) })
	wantBooked("201 ")
	wantSeen(t, a, b, show, "on_sale", "state")
	d.edit(t, b, show, 200, "", func(p *poster) { p.Opens = time.Now().Add(time.Minute) })
	wantBooked("409 not_open")
	wantSeen(t, b, a, show, "upcoming", "state")
	d.edit(t, a, show, 200, "", func(p *poster) { p.Opens = time.Now().Add(-time.Minute) })
	wantBooked("201 ")

	close(stop)
	d.ended(t, show, (<-done).accepted)
	after := d.cut(t, show)
	if after.Row.Epoch != before.Epoch || after.Hash.Epoch != before.Epoch {
		t.Errorf("epoch %d in MySQL, %d in Redis, and was %d", after.Row.Epoch, after.Hash.Epoch, before.Epoch)
	}
	p := d.poster(t, show)
	if r, err := admin(t, a).put(show+1, p); err != nil || r.Status != 404 || r.code() != "not_found" {
		t.Errorf("an unknown show: %+v, %v", r, err)
	}
	d.sound(t)
}
