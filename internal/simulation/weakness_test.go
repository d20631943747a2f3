package simulation

import (
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/booking"
)

// Two weaknesses that are known: a load opens the show under an epoch that is not MySQL's any more. What is sold then ends as lost,
// although Redis did not lose it, until somebody meets such an entry and has the show resynced. Nothing is sold twice.
func TestWeaknesses(t *testing.T) {
	t.Parallel()
	for name, lives := range map[string]func(*directed){
		"a load that is not answered arrives when its resync has begun again": lateLoad,
		"a lost history brings back the token of a resync that was robbed":    tokenComesBack,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(unforgiving bool) *directed {
				d := direct(t, Mistakes{Unforgiving: unforgiving}, 1)
				lives(d)
				i := d.book(1)
				d.commit(d.workers[0])
				if row := d.judge.rows[i]; row == nil || row.Reason != booking.Lost {
					t.Errorf("the reservation is %+v; if it is not lost any more, the weakness is mended", row)
				}
				d.rest()
				return d
			}
			if d := run(true); !strings.HasPrefix(d.violated, "I5") && !strings.HasPrefix(d.violated, "I15") {
				t.Errorf("got %q, want I5 or I15:\n%s", d.violated, strings.Join(d.trace, "\n"))
			}
			if d := run(false); d.violated != "" {
				t.Errorf("it does not heal: %s\n%s", d.violated, strings.Join(d.trace, "\n"))
			}
		})
	}
}

// lateLoad: the first load comes to the server when the second attempt has said bump.
func lateLoad(d *directed) {
	d.begin(load)
	d.forced = []int{isLate}
	d.r.do()
	d.until(raise)
	d.arrive(0)
	d.until(done)
}

// tokenComesBack: a resync sleeps before its load and is robbed; the server restarts as it was when the sleeper held the show, and
// the robber, who has said bump, raises the epoch; then the sleeper wakes.
func tokenComesBack(d *directed) {
	d.begin(load)
	sleeper := d.r
	d.master.remember(d.World)
	d.wait(takeOver)
	d.begin(raise)
	d.step++
	d.restartAt(0)
	d.until(build)
	sleeper.do()
	d.until(done)
}

// A third weakness: who makes a lost stream anew is the only one who knows that it was lost. Where he gives up, his own show sells on,
// and where he dies before he has distrusted the others, they do; the bookings that were lost stay pending until the audit finds
// that entries were made, not settled, and are not there.
func TestStreamLostUnnoticed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		show int64
		ends func(*directed)
	}{
		"he gives up":                            {1, func(d *directed) { d.until(check); d.r.fail(); d.until(done) }},
		"he dies before he distrusts the others": {2, func(d *directed) { d.until(distrustOthers); d.resyncs = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := direct(t, Mistakes{}, 2)
			i := d.bookOf(test.show, 1)
			d.deleteStream(d.master)
			d.begin(pause)
			test.ends(d)
			if h := d.master.server.Show(test.show); h.Text("state") != "open" || h.Text("seq") == h.Text("settled") || d.master.server.Stream == nil {
				t.Errorf("the show is %v; if it is not on sale, the weakness is mended", *h)
			}
			d.bookOf(test.show, 2) // as if nothing had happened
			if d.rest(); d.violated != "" || d.seen["rest: only the audit sees entries that are gone"] == 0 {
				t.Errorf("the audit does not heal it: %s\n%s", d.violated, strings.Join(d.trace, "\n"))
			}
			if row := d.judge.rows[i]; row != nil {
				t.Errorf("the lost booking has a row: %+v", row)
			}
		})
	}
}
