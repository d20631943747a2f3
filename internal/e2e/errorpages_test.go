package e2e

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// refusals brings about what keeps an API from doing what a customer or an admin wants, and returns the pages that tell them. None of
// them changes anything, so that it is the same whoever comes first. One more API has no MySQL any more, loses bookings of a show
// on their way to Redis, and takes one request a second of a user: each user has one page there, but for the one who is in a hurry.
func (d *deployment) refusals(t *testing.T, me, show int64) []sitePage {
	t.Helper()
	usual := d.url
	redis, mysql, viaProxies := d.proxies(t)
	troubled := d.start(t, "api", append(viaProxies, "NETICKET_RATE_PER_USER=1")...).url
	away := d.start(t, "api", viaProxies...).url // the same without a limit: a page that follows a booking asks more than once
	d.url = usual
	redis.Rule(func(request []byte) systemtest.Fate {
		if bytes.Contains(request, []byte(d.Shards.Users(show))) {
			return systemtest.LoseRequest
		}
		return systemtest.Deliver
	})
	for _, api := range []string{troubled, away} {
		eventually(t, "the API knows the shows", func() bool {
			shows, _ := caller{url: api, http: d.as(t, me).http}.must(t, "GET", "/api/v1/shows", "").Body["shows"].([]any)
			return len(shows) > 0
		})
	}
	mysql.Cut()

	book := func(show int64, key string) (id string) {
		t.Helper()
		r, err := d.as(t, me).book(show, 1, "Prefer: wait=5", "Idempotency-Key: "+key)
		if err != nil || r.Status != 201 {
			t.Fatalf("book: %+v, %v", r, err)
		}
		return r.id()
	}
	used := book(show, "used")
	marker := stock.ReserveField(booking.NewID(me, show, "garbled").String())
	started := d.stage(t, stage{title: "Hamlet", capacity: 30, starts: -time.Minute, closes: time.Hour})
	paused := d.stage(t, stage{title: "Macbeth", capacity: 30, starts: 40 * 24 * time.Hour})
	late, held := bookedAt(started)+book(started, "late"), bookedAt(paused)+book(paused, "held")
	for key, fields := range map[string][]any{
		d.Shards.User(d.Shards.Of(show), me): {marker, fmt.Sprintf("1|%d|garbled|1", show)},
		d.Shards.Show(paused):                {"state", "paused", "token", "somebody", "paused_at", time.Now().UnixMilli()},
	} {
		if err := d.Redis.HSet(t.Context(), key, fields...).Err(); err != nil {
			t.Fatal(err)
		}
	}

	at, stopped := fmt.Sprint("/shows/", show), fmt.Sprint("/shows/", paused)
	return []sitePage{
		{"show-fewer-409", at, "customer", refused("units", "50")},
		{"show-key-422", at + "?key=used", "customer", refused("units", "2")},
		{"show-paused-503", stopped, "customer", refused("units", "1")},
		{"show-unknown-503", troubled + at, "newcomer", refused("units", "1")},
		{"problem-429", troubled + "/reservations", "hurried", hurried},
		{"problem-500", at + "?key=garbled", "customer", submitted("units", "1")},
		{"problem-503", troubled + bookedAt(show) + "00000000-0000-8000-8000-000000000000", "customer", nil},
		{"booking-provisional", away + bookedAt(show) + used, "customer", nil},
		{"mine-partial", away + "/reservations", "customer", nil},
		{"login-503", troubled + "/login", "", refused("email", "kim@example.com", "password", passphrase)},
		{"cancel-409", late, "customer", cancelled(late)},
		{"cancel-503", held, "customer", cancelled(held)},
		{"admin-edit-409", "/admin" + stopped, "admin", refused("capacity", "40")},
		{"admin-resync-409", fmt.Sprintf("/admin/stock/%d/resync", paused), "admin", nil},
	}
}

// submitted fills in fields by their ids and sends them past what the browser would keep back.
func submitted(fields ...string) func(v *visitor) {
	return func(v *visitor) {
		v.t.Helper()
		for i := 0; i < len(fields); i += 2 {
			eval[bool](v, fmt.Sprintf(`(document.getElementById(%s).value = %s, true)`, quote(fields[i]), quote(fields[i+1])))
		}
		v.leaves(fmt.Sprintf(`document.getElementById(%s).form.submit()`, quote(fields[0])))
	}
}

// refused is what the server refuses and tells in the page of the form.
func refused(fields ...string) func(v *visitor) {
	return func(v *visitor) {
		v.t.Helper()
		submitted(fields...)(v)
		v.until("what is wrong is told", `document.querySelector('.fault:not([hidden])') !== null`)
	}
}

// cancelled asks for a cancel as a page does that has been open since that was possible.
func cancelled(reservation string) func(v *visitor) {
	return func(v *visitor) {
		v.t.Helper()
		v.leaves(fmt.Sprintf(`document.body.append(Object.assign(document.createElement('form'), { method: 'post', action: %s })); document.forms[document.forms.length - 1].submit()`,
			quote(reservation+"/cancel")))
	}
}

// overfed sends an image that is too large, which the page's script does not let pass.
func overfed(v *visitor) {
	v.t.Helper()
	eval[bool](v, `(() => { const files = new DataTransfer(), input = document.getElementById('file')
  files.items.add(new File([new Uint8Array(11 << 20)], 'poster.jpg', { type: 'image/jpeg' }))
  input.files = files.files; return true })()`)
	v.leaves(`document.getElementById('file').form.requestSubmit()`)
}

// often guesses a password until that is refused.
func often(v *visitor) {
	v.t.Helper()
	eventually(v.t, "too many guesses are refused", func() bool {
		refused("email", "guessed@example.com", "password", "wrong")(v)
		return v.status() == 429
	})
}

// hurried asks for a page several times at once until that is refused; what is refused costs nothing, so the next one is refused too.
func hurried(v *visitor) {
	v.t.Helper()
	eventually(v.t, "too many requests are refused", func() bool {
		v.leaves(`Promise.all([1, 2, 3].map(() => fetch(location.href))).then(() => location.reload())`)
		return v.status() == 429
	})
}
