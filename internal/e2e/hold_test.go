package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// step is a request that a resync sends.
type step struct {
	name string
	// sent is what the request looks like: a regular expression in which ID is the show, SHOW, ENTRIES and BUILT are keys.
	sent string
	// paused: when it is sent, the show is paused already.
	paused bool
	redis  bool
}

// resyncSteps are the requests of a resync without its heartbeat, in their order. They are told apart by what they say, since
// their process sends others at any time, and since how often it looks whether the show is drained is chance.
var resyncSteps = []step{
	{"read the row", `FROM stock WHERE show_id IN \(ID\)$`, false, false},
	{"pause", `evalsha.*ENTRIES\s.*\$0\s+$`, false, true},
	{"look whether it is drained", `hmget.*SHOW\s.*settled`, true, true},
	{"read left", `hget\s.*SHOW\s.*left`, true, true},
	{"read the sale times", `FROM shows WHERE id = ID$`, true, false},
	{"say bump", `evalsha.*SHOW\s.*bump\s+$`, true, true},
	{"begin", `START TRANSACTION$`, true, false},
	{"lock the row", `FROM stock WHERE show_id IN \(ID\) ORDER BY show_id FOR UPDATE$`, true, false},
	{"sum up", `SELECT COALESCE\(SUM\(units\), 0\) FROM reservations WHERE show_id = ID `, true, false},
	{"raise the epoch", `UPDATE stock SET epoch = `, true, false},
	{"commit", `COMMIT$`, true, false},
	{"clear the units per user", `\sdel\s.*BUILT`, true, true},
	{"sum up per user", `FROM reservations WHERE show_id = ID .*GROUP BY user_id$`, true, false},
	{"build the units per user", `hset\s.*BUILT`, true, true},
	{"load", `evalsha.*BUILT`, true, true},
}

// proxies returns proxies to both servers, and the settings of a process that goes through them.
func (d *deployment) proxies(t *testing.T) (redis, mysql *systemtest.Proxy, env []string) {
	t.Helper()
	redis = systemtest.NewProxy(t, d.servers.Redis.Addr())
	mysql, dsn := systemtest.ProxyMySQL(t, d.servers.DSN)
	return redis, mysql, []string{"NETICKET_REDIS_ADDRS=" + redis.Addr(), "NETICKET_MYSQL_DSN=" + dsn}
}

// stepOf returns the step of a name.
func stepOf(t *testing.T, name string) step {
	t.Helper()
	i := slices.IndexFunc(resyncSteps, func(s step) bool { return s.name == name })
	if i < 0 {
		t.Fatal("no such step: ", name)
	}
	return resyncSteps[i]
}

// hold holds back the first request that is a step of a show's resync.
type hold struct {
	held chan struct{} // closed once it came
	fate chan systemtest.Fate
	once sync.Once
}

// holdAt holds back the next request that is a step, at whichever of the proxies it comes by. All others pass.
func (d *deployment) holdAt(t *testing.T, s step, show int64, proxies ...*systemtest.Proxy) *hold {
	t.Helper()
	key := func(k string) string { return regexp.QuoteMeta(k) }
	sent := regexp.MustCompile("(?s)" + strings.NewReplacer("ID", fmt.Sprint(show), "SHOW", key(d.Shards.Show(show)),
		"ENTRIES", key(d.Shards.Entries(d.Shards.Of(show))), "BUILT", key(d.Shards.Users(show)+":")).Replace(s.sent))
	h := &hold{held: make(chan struct{}), fate: make(chan systemtest.Fate, 1)}
	t.Cleanup(func() { h.let(systemtest.Deliver) }) // whatever became of the test
	var first atomic.Bool
	for _, proxy := range proxies {
		proxy.Rule(func(request []byte) systemtest.Fate {
			if !sent.Match(request) || !first.CompareAndSwap(false, true) {
				return systemtest.Deliver
			}
			close(h.held)
			return <-h.fate
		})
	}
	return h
}

// came waits until the request has come.
func (h *hold) came(t *testing.T) {
	t.Helper()
	select {
	case <-h.held:
	case <-time.After(10 * time.Second):
		t.Fatal("the request that is to be held did not come within 10 s")
	}
}

// let says what becomes of the request; the first word counts.
func (h *hold) let(fate systemtest.Fate) { h.once.Do(func() { h.fate <- fate }) }

// sent is what a request came to that was under way.
type sent struct {
	reply reply
	err   error
}

// send runs a request in the background.
func send(request func() (reply, error)) chan sent {
	done := make(chan sent, 1)
	go func() {
		r, err := request()
		done <- sent{r, err}
	}()
	return done
}

// cut looks at both sides of a show.
func (d *deployment) cut(t *testing.T, show int64) stock.Cut {
	t.Helper()
	cuts, err := d.Auditor.Cuts(t.Context(), show)
	if err != nil {
		t.Fatal(err)
	}
	return cuts[show]
}

// goesOn waits until a show is open, under the same epoch in Redis and MySQL.
func (d *deployment) goesOn(t *testing.T, show int64) {
	t.Helper()
	servertest.Eventually(t, 10*time.Second, fmt.Sprintf("show %d is open in one epoch", show), func() bool {
		cut := d.cut(t, show)
		return cut.Hash.State == "open" && cut.Hash.Epoch == cut.Row.Epoch
	})
}
