package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// TestResyncIsLeft: in the midst of a resync the admin goes away, or the API is told to end. Before the bump the show is put back
// or resynced, after it, it is resynced: at once, and not when somebody takes it over after 10 s.
func TestResyncIsLeft(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	redis, mysql, env := d.proxies(t)
	a := d.start(t, "api")
	d.start(t, "worker")
	for name, test := range map[string]struct {
		step string
		end  bool // the API is told to end; else the admin goes away
		done bool // it is resynced in the end, and not only put back
	}{
		"the admin, before the bump": {"read the sale times", false, false},
		"the admin, after the bump":  {"commit", false, true},
		"the API, before the bump":   {"read the sale times", true, true},
		"the API, after the bump":    {"commit", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := d.start(t, "api", env...)
			show := d.Show(t, 10, 4)
			customer := caller{url: a.url, token: token(t, 1), http: http.DefaultClient}
			if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
				t.Fatalf("book: %+v, %v", r, err)
			}
			before := d.cut(t, show).Row.Epoch
			who := admin(t, b)
			if !test.end {
				who.http.Timeout = 500 * time.Millisecond
			}
			h := d.holdAt(t, stepOf(t, test.step), show, redis, mysql)
			resync := send(func() (reply, error) { return who.resync(show, "") })
			h.came(t)
			if test.end {
				if err := b.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				servertest.Eventually(t, 5*time.Second, "the API ends", func() bool { return status(t, b.ops+"/readyz") != http.StatusOK })
				h.let(systemtest.Deliver)
				if r := <-resync; r.err != nil || r.reply.Status != http.StatusOK {
					t.Errorf("the answer of an API that ends: %+v", r)
				}
				b.terminate(t)
			} else {
				if r := <-resync; r.err == nil {
					t.Errorf("the admin did not go away: %+v", r.reply)
				}
				if !test.done { // it does not wait for an answer that nobody wants
					servertest.Eventually(t, 5*time.Second, "the show is put back", func() bool { return d.cut(t, show).Hash.State == "open" })
				}
				h.let(systemtest.Deliver)
			}
			servertest.Eventually(t, 5*time.Second, "the show is on sale", func() bool { return d.cut(t, show).Hash.State == "open" })
			if cut := d.cut(t, show); cut.Row.Epoch > before != test.done || !cut.Conclusive || !cut.Agrees() {
				t.Errorf("it is %+v, and was in epoch %d; resynced: %v", cut, before, test.done)
			}
			if r, err := customer.book(show, 1, "Prefer: wait=5"); err != nil || r.Status != http.StatusCreated {
				t.Errorf("book after it: %+v, %v", r, err)
			}
		})
	}
	d.sound(t)
}
