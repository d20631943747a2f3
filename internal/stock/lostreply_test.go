package stock_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// throughProxy is a ledger of another API process whose way to Redis loses what a rule says.
func throughProxy(t *testing.T, rig *systemtest.Rig) (*stock.Ledger, *systemtest.Proxy) {
	t.Helper()
	proxy := systemtest.NewProxy(t, rig.RedisServer.Addr())
	return sibling(t, rig, proxy.Addr()).Ledger, proxy
}

// fateOf has the script call and the look at the marker that are about one reservation meet their fates, all else pass.
func fateOf(id string, script, marker systemtest.Fate) func([]byte) systemtest.Fate {
	return func(request []byte) systemtest.Fate {
		switch {
		case !bytes.Contains(request, []byte(id)):
			return systemtest.Deliver
		case bytes.Contains(request, []byte("hget")):
			return marker
		}
		return script
	}
}

func TestLostReplyOfReserve(t *testing.T) {
	t.Parallel()
	const deliver, loseAnswer, loseRequest = systemtest.Deliver, systemtest.LoseAnswer, systemtest.LoseRequest
	rig := systemtest.New(t)
	ledger, proxy := throughProxy(t, rig)
	for name, test := range map[string]struct {
		script, marker systemtest.Fate
		want           error
		taken          bool
	}{
		"the marker tells":      {loseAnswer, deliver, nil, true},
		"no marker":             {loseRequest, deliver, stock.ErrUnknown, false},
		"the marker lost too":   {loseAnswer, loseAnswer, stock.ErrUnknown, true},
		"nothing gets anywhere": {loseRequest, loseRequest, stock.ErrUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 0)
			// The script must be known to the server, else the first call is answered with NOSCRIPT.
			if _, err := ledger.Reserve(t.Context(), request(show, 1, 1, "warm up")); err != nil {
				t.Fatal(err)
			}
			r := request(show, 7, 2, "a")
			proxy.Rule(fateOf(r.ID, test.script, test.marker))
			receipt, err := ledger.Reserve(t.Context(), r)
			wantError(t, err, test.want)
			if want := map[bool]string{true: "7", false: "9"}[test.taken]; hashOf(t, rig, show)["left"] != want {
				t.Errorf("%s left, want %s", hashOf(t, rig, show)["left"], want)
			}
			if err == nil && (!receipt.Repeated || receipt.Marker.Units != 2 || receipt.Marker.Seq != 2 || receipt.Marker.Entry == "") {
				t.Errorf("receipt %+v; want what the marker tells", receipt)
			}

			proxy.Rule(nil)
			again, err := ledger.Reserve(t.Context(), r)
			if err != nil || again.Repeated != test.taken || hashOf(t, rig, show)["left"] != "7" {
				t.Errorf("the same request again: %+v, %v, %s left; want it taken once", again, err, hashOf(t, rig, show)["left"])
			}

			r.Units = 3
			proxy.Rule(fateOf(r.ID, loseAnswer, deliver))
			_, err = ledger.Reserve(t.Context(), r)
			wantError(t, err, stock.ErrConflict)
			proxy.Rule(nil)
		})
	}
}

func TestLostReplyOfCancel(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	ledger, proxy := throughProxy(t, rig)
	show := load(t, rig, 10, 0)
	if _, err := ledger.Cancel(t.Context(), request(show, 1, 1, "warm up")); err != nil {
		t.Fatal(err)
	}
	r := request(show, 7, 2, "a")
	proxy.Rule(fateOf(r.ID, systemtest.LoseAnswer, systemtest.Deliver))
	_, err := ledger.Cancel(t.Context(), r)
	wantError(t, err, stock.ErrUnknown)
	proxy.Rule(nil)
	if again, err := ledger.Cancel(t.Context(), r); err != nil || !again.Repeated {
		t.Errorf("again: %+v, %v; want it repeated", again, err)
	}
}

func TestServerAwayOrFrozen(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	client := stock.Connect(stock.Connection{Addrs: []string{rig.RedisServer.Addr()}, Conns: 2, Timeout: 50 * time.Millisecond})
	t.Cleanup(func() { _ = client.Close() })
	ledger := stock.NewLedger(client, rig.Shards, stock.LedgerOptions{MaxBacklog: 10, Remember: time.Hour, Group: group})
	if _, err := ledger.Reserve(t.Context(), request(show, 1, 1, "warm up")); err != nil {
		t.Fatal(err)
	}

	if err := rig.RedisServer.Pause(); err != nil {
		t.Fatal(err)
	}
	_, err := ledger.Reserve(t.Context(), request(show, 7, 1, "frozen"))
	wantError(t, err, stock.ErrUnknown)
	if err := rig.RedisServer.Resume(); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Reserve(t.Context(), request(show, 7, 1, "frozen")); err != nil {
		t.Errorf("the same request once it runs again: %v", err)
	}
	if left := hashOf(t, rig, show)["left"]; left != "8" {
		t.Errorf("%s left of 10 after two requests of 1", left)
	}

	if err := rig.RedisServer.Kill(); err != nil {
		t.Fatal(err)
	}
	var last error
	for range 3 { // the pool's connections find out one by one: what they had sent is unknown
		_, last = ledger.Reserve(t.Context(), request(show, 7, 1, "away"))
	}
	wantError(t, last, stock.ErrUnavailable)
	_, last = ledger.Cancel(t.Context(), request(show, 7, 1, "away"))
	wantError(t, last, stock.ErrUnavailable)
}
