package e2e

import (
	"context"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// duel is two APIs that resync one show: A by the side of a crowd, B through proxies.
type duel struct {
	*deployment
	show         int64
	crowd        *crowd
	a, b         *process
	worker       *process
	flusher      *process
	redis, mysql *systemtest.Proxy
	viaProxies   []string
	slowest      time.Duration // from a kill until the show was open
}

func newDuel(t *testing.T) *duel {
	t.Helper()
	d := &duel{deployment: deploy(t, "NETICKET_TAKE_OVER=1s", "NETICKET_FLUSH_INTERVAL=1s")}
	d.show = d.Show(t, 150, 6)
	d.redis, d.mysql, d.viaProxies = d.proxies(t)
	d.a = d.start(t, "api")
	d.worker = d.start(t, "worker")
	d.flusher = d.start(t, "flusher")
	d.b = d.start(t, "api", d.viaProxies...)
	d.crowd = d.deployment.crowd(t, d.a, d.show, 64)
	servertest.Eventually(t, 20*time.Second, "some hold units", func() bool { return d.crowd.accepted() > 64 })
	return d
}

func (d *duel) resync(t *testing.T, at *process) chan sent {
	t.Helper()
	who := admin(t, at)
	return send(func() (reply, error) { return who.resync(d.show, "") })
}

func (d *duel) play(t *testing.T, r round) {
	t.Helper()
	d.b.ready(t)
	d.goesOn(t, d.show)
	before, sold := d.cut(t, d.show).Row.Epoch, d.crowd.accepted()
	thaw := d.freeze(t)
	if r.at == nil {
		d.both(t)
	} else {
		d.held(t, r)
	}
	thaw()
	d.goesOn(t, d.show)
	after := d.cut(t, d.show)
	if !r.kill && after.Row.Epoch <= before {
		t.Errorf("nobody won: epoch %d, then %d", before, after.Row.Epoch)
	}
	if after.Row.Reserved > after.Row.Capacity || after.Hash.Left < 0 {
		t.Errorf("more was sold than there is: %+v", after)
	}
	servertest.Eventually(t, 10*time.Second, "the sale goes on", func() bool { return d.crowd.accepted() > sold })
}

// freeze stops the worker, and returns when entries wait for it. It goes on once the show is paused, at the returned call at the
// latest: so there is always something to drain.
func (d *duel) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	if err := d.worker.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw = systemtest.Go(t, func(ctx context.Context) error {
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for ctx.Err() == nil {
			if d.Redis.HGet(ctx, d.Shards.Show(d.show), "state").Val() == "paused" {
				break
			}
			<-look.C
		}
		return d.worker.Signal(syscall.SIGCONT)
	})
	servertest.Eventually(t, 10*time.Second, "entries wait for the worker", func() bool { return d.cut(t, d.show).Hash.Pending() > 0 })
	return thaw
}

// both sends two resyncs at once: one wins, or both do, one after the other. Nothing else can be: the worker lives and the sale
// is small, so that the show is drained long before a resync would give up with "not_drained".
func (d *duel) both(t *testing.T) {
	t.Helper()
	a, b := d.resync(t, d.a), d.resync(t, d.b)
	for _, s := range []sent{<-a, <-b} {
		switch {
		case s.err != nil:
			t.Errorf("no answer: %v", s.err)
		case s.reply.Status == http.StatusOK:
		case s.reply.code() == "resync_running":
		default:
			t.Errorf("answer %d %s", s.reply.Status, s.reply.code())
		}
	}
}

// held stops B's resync at a step, sends one to A, and lets B go on or kills it.
func (d *duel) held(t *testing.T, r round) {
	t.Helper()
	h := d.holdAt(t, *r.at, d.show, d.redis, d.mysql)
	b := d.resync(t, d.b)
	servertest.Eventually(t, 10*time.Second, "a resync at the step: "+r.at.name, func() bool {
		select {
		case <-h.held:
			return true
		case s := <-b:
			if s.reply.code() != "resync_running" { // the flusher's, which took over in the round before
				t.Fatalf("B's resync did not come to the step: %+v", s)
			}
			b = d.resync(t, d.b)
		default:
		}
		return false
	})
	since := time.Now()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ; ; <-again.C {
		switch s := <-d.resync(t, d.a); {
		case s.err != nil:
			t.Errorf("no answer from A: %v", s.err)
		case r.at.paused && (s.reply.Status != http.StatusConflict || s.reply.code() != "resync_running"):
			t.Errorf("while B's resync runs, A answers %d %s", s.reply.Status, s.reply.code())
		case !r.at.paused && s.reply.Status != http.StatusOK:
			t.Errorf("before B's resync begins, A answers %d %s", s.reply.Status, s.reply.code())
		}
		if !r.slow || time.Since(since) > 1500*time.Millisecond {
			break
		}
	}
	if !r.kill {
		h.let(systemtest.Deliver)
		s := <-b
		// A's drain may take longer than B waits for Redis: then B gives up, which is right.
		if patient := r.slow || time.Since(since) < 800*time.Millisecond; patient && s.reply.Status != http.StatusOK || s.err != nil {
			t.Errorf("B, let go after %v: %+v", time.Since(since), s)
		}
		return
	}
	if err := d.b.Kill(); err != nil {
		t.Fatal(err)
	}
	died := time.Now()
	d.b = d.launch(t, "api", d.viaProxies...) // for the next round
	if r.late {
		d.goesOn(t, d.show)
	}
	h.let(r.fate)
	<-b
	if !r.late {
		d.goesOn(t, d.show)
	}
	d.slowest = max(d.slowest, time.Since(died))
}
