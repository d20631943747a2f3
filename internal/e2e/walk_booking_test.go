package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	book   = "POST /api/v1/shows/{id}/reservations"
	mine   = "GET /api/v1/reservations"
	look   = "GET /api/v1/shows/{show}/reservations/{id}"
	cancel = "DELETE /api/v1/shows/{show}/reservations/{id}"

	// By the id alone, as before addresses named the show.
	lookOld   = "GET /api/v1/reservations/{id}"
	cancelOld = "DELETE /api/v1/reservations/{id}"

	one  = `{"units":1}`
	two  = `{"units":2}`
	wait = "Prefer: wait=10"
)

// byAddress are the calls about one reservation: with its show, and by its id alone.
var byAddress = []struct{ look, cancel string }{{look, cancel}, {lookOld, cancelOld}}

func (w *walk) booking(t *testing.T) {
	anna, now := w.api.as(t, 71), time.Now()
	show, limited := w.Show(t, 5, 0), w.Show(t, 5, 3)
	opens := now.Add(time.Hour).UTC().Truncate(time.Millisecond)
	early := w.ShowAt(t, 5, 0, opens, now.Add(2*time.Hour), now.Add(3*time.Hour))
	closed := w.ShowAt(t, 5, 0, now.Add(-2*time.Hour), now.Add(-time.Hour), now.Add(time.Hour))
	booked := w.ask(t,
		line{"without a key", anna, book, show, one, "", "202", "Location Idempotency-Key status=pending units=1 number booked_at cancellable=false"},
		line{"waited for", anna, book, show, two, wait + "\nIdempotency-Key: k", "201", "Location Idempotency-Key=k Preference-Applied=wait=10 " +
			"status=confirmed units=2 price_total=0 confirmed_at cancellable=true show.title=Test"},
		line{"the same key again", anna, book, show, two, "Idempotency-Key: k", "200", "Location status=confirmed units=2"},
		line{"with another body", anna, book, show, one, "Idempotency-Key: k", "422 key_reused", ""},
		line{"more than is left", anna, book, show, `{"units":3}`, "", "409 sold_out", "left=2"},
		line{"too many for one", anna, book, limited, `{"units":4}`, "", "409 limit_reached", "held=0 limit=3"},
		line{"as many as one may", anna, book, limited, `{"units":3}`, wait, "201", "units=3"},
		line{"one more", anna, book, limited, one, "", "409 limit_reached", "held=3 limit=3"},
		line{"before it opens", anna, book, early, one, "", "409 not_open", "opens_at=" + opens.Format(time.RFC3339Nano)},
		line{"after it closed", anna, book, closed, one, "", "409 closed", ""},
		line{"no such show", anna, book, 987654, one, "", "404 not_found", ""},
		line{"none", anna, book, show, `{"units":0}`, "", "422 invalid", "errors=units"},
		line{"101", anna, book, show, `{"units":101}`, "", "422 invalid", "errors=units"},
		line{"a key of 256", anna, book, show, one, "Idempotency-Key: " + strings.Repeat("k", 256), "422 invalid", "errors=Idempotency-Key"},
		line{"a key of 255", anna, book, show, one, "Idempotency-Key: " + strings.Repeat("k", 255), "202", "Location"},
		line{"a key that is not printable", anna, book, show, one, "Idempotency-Key: \u202ek", "422 invalid", "errors=Idempotency-Key"},
		line{"a wait of 11 s", anna, book, show, one, "Prefer: wait=11", "422 invalid", "errors=Prefer"},
		line{"everything wrong", anna, book, show, "{}", "Prefer: wait=x\nIdempotency-Key: \t", "422 invalid", "errors=units errors=Idempotency-Key errors=Prefer"},
		line{"with the last key again", anna, book, show, two, wait + "\nIdempotency-Key: k", "200", "status=confirmed"},
	)
	wantFields(t, "a reservation", booked.Body, reservationFields)
	wantFields(t, "its show", booked.Body["show"], bookedShowFields)
	own := ticket{show, booked.id()}
	if at := booked.Header.Get("Location"); at != path(look, own) {
		t.Errorf("reservation %s is at %s", booked.id(), at)
	}
	for _, by := range byAddress {
		w.ask(t,
			line{"own", anna, by.look, own, "", "", "200", "status=confirmed id=" + booked.id()},
			line{"waited for, though settled", anna, by.look, own, "", wait, "200", "Preference-Applied=wait=10 status=confirmed"},
			line{"somebody else's", w.api.as(t, 72), by.look, own, "", "", "404 not_found", ""},
			line{"a wait of 11 s", anna, by.look, own, "", "Prefer: wait=11", "422 invalid", "errors=Prefer"},
		)
	}
	page := w.ask(t,
		line{"of another show", anna, look, ticket{limited, booked.id()}, "", "", "404 not_found", ""},
		line{"of another show", anna, cancel, ticket{limited, booked.id()}, "", "", "404 not_found", ""},
		line{"of a show that is not there", anna, look, ticket{987654, booked.id()}, "", "", "404 not_found", ""},
		line{"no page", anna, mine + "?limit=101", "", "", "", "422 invalid", "errors=limit"},
		line{"a cursor made up", anna, mine + "?cursor=" + booked.id(), "", "", "", "422 invalid", "errors=cursor"},
		line{"half of a %", anna, mine + "?cursor=%2", "", "", "", "400 malformed", "errors=cursor"},
		line{"all", anna, mine, "", "", "", "200", "reservations.3.id"},
		line{"who has none", w.api.as(t, 72), mine, "", "", "", "200", "reservations"},
		line{"the newest", anna, mine + "?limit=1", "", "", "", "200", "reservations.0.id next_cursor"},
	)
	wantFields(t, "a page", page.Body, "next_cursor reservations")
	wantFields(t, "a reservation of a page", field(page.Body, "reservations.0"), reservationFields)
	w.ask(t, line{"the next page", anna, mine + "?limit=1&cursor=" + fmt.Sprint(page.Body["next_cursor"]), "", "", "", "200", "reservations.0.id next_cursor"})
}

// rejected is what a worker refuses, though Redis did not.
func (w *walk) rejected(t *testing.T) {
	anna, ctx := w.api.as(t, 71), t.Context()
	full, limited, forgotten, broken := w.Show(t, 2, 0), w.Show(t, 5, 2), w.Show(t, 5, 0), w.Show(t, 50, 0)
	for show, units := range map[int64]string{full: two, limited: two, forgotten: one, broken: one} {
		w.ask(t, line{"before", anna, book, show, units, wait, "201", ""})
	}
	for _, err := range []error{
		w.Redis.HSet(ctx, w.Shards.Show(full), "left", 50).Err(),
		w.Redis.HDel(ctx, w.Shards.Users(limited), "71").Err(),
		w.exec(t, "UPDATE stock SET epoch = epoch + 1 WHERE show_id = ?", forgotten),
		w.exec(t, fmt.Sprint("CREATE TRIGGER refuse BEFORE INSERT ON reservations FOR EACH ROW IF NEW.status = 'confirmed' AND NEW.show_id = ", broken,
			" THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	rejected := w.ask(t,
		line{"sold in another way", anna, book, full, one, wait, "409 sold_out", "Location"},
		line{"more than one may", anna, book, limited, one, wait, "409 limit_reached", "Location"},
		line{"under an old epoch", anna, book, forgotten, one, wait, "409 lost", "Location"},
		line{"a row that cannot be stored", anna, book, broken, one, wait, "409 error", "Location Idempotency-Key"},
	)
	at := rejected.Header.Get("Location")
	own := ticket{broken, at[strings.LastIndex(at, "/")+1:]}
	w.ask(t, line{"the same key again", anna, book, broken, one, "Idempotency-Key: " + rejected.Header.Get("Idempotency-Key"), "200",
		"status=rejected reason=error"})
	for _, by := range byAddress {
		w.ask(t,
			line{"what was rejected", anna, by.look, own, "", "", "200", "status=rejected reason=error cancellable=false"},
			line{"what was rejected", anna, by.cancel, own, "", "", "409 not_cancellable", ""},
		)
	}
}

func (w *walk) cancelling(t *testing.T) {
	anna, boss := w.api.as(t, 71), admin(t, w.api)
	show, begun := w.Show(t, 4, 0), w.Show(t, 1, 0)
	for _, by := range byAddress {
		booked := w.book(t, anna, show)
		w.ask(t,
			line{"somebody else's", w.api.as(t, 72), by.cancel, booked, "", "", "404 not_found", ""},
			line{"a wait of 11 s", anna, by.cancel, booked, "", "Prefer: wait=11", "422 invalid", "errors=Prefer"},
			line{"own", anna, by.cancel, booked, "", "", "202", "status=cancelling cancellable=false"},
			line{"waited for", anna, by.cancel, booked, "", wait, "200", "Preference-Applied=wait=10 status=cancelled cancelled_at"},
			line{"again", anna, by.cancel, booked, "", "", "200", "status=cancelled"},
		)
	}
	booked := w.book(t, anna, begun)
	past := poster{Title: "Over", Venue: "Hall", Starts: time.Now().Add(-time.Hour), Opens: time.Now().Add(-3 * time.Hour), Closes: time.Now().Add(-2 * time.Hour), Capacity: 1}
	w.ask(t,
		line{"moved to the past", boss, update, begun, past.json(t), "", "200", "state=ended"},
		line{"of a show that has started", anna, cancel, booked, "", "", "409 show_started", ""},
		line{"of a show that has started", anna, cancelOld, booked, "", "", "409 show_started", ""},
		line{"of a show that has started", anna, look, booked, "", "", "200", "status=confirmed cancellable=false"},
		line{"a show that has started", anna, book, begun, one, "", "409 closed", ""},
	)
}

// book has somebody book a unit, and waits until it is confirmed.
func (w *walk) book(t *testing.T, who caller, show int64) ticket {
	t.Helper()
	return ticket{show, w.ask(t, line{"before", who, book, show, one, wait, "201", ""}).id()}
}

func (w *walk) exec(t *testing.T, statement string, arguments ...any) error {
	_, err := w.DB.ExecContext(t.Context(), statement, arguments...)
	return err
}
