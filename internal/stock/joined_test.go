package stock_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// joiner is an API process whose way to Redis can be held, so that requests share the call that comes next.
type joiner struct {
	*system.System
	rig   *systemtest.Rig
	proxy *systemtest.Proxy
}

func newJoiner(t *testing.T, rig *systemtest.Rig) joiner {
	t.Helper()
	proxy := systemtest.NewProxy(t, rig.RedisServer.Addr())
	return joiner{sibling(t, rig, proxy.Addr()), rig, proxy}
}

// outcome is what one request was answered.
type outcome struct {
	receipt stock.Receipt
	err     error
}

// join sends requests of one shard in one call, and returns what each was answered. A request before them, for one unit of a
// show, is held on its way to Redis until all wait. rule is for what is sent after that one; it may be nil.
func (j joiner) join(t *testing.T, show int64, rule func([]byte) systemtest.Fate, requests ...stock.Request) []outcome {
	t.Helper()
	held, seen := make(chan struct{}), make(chan struct{})
	var first sync.Once
	leader := request(show, 999, 1, fmt.Sprint(time.Now().UnixNano()))
	j.proxy.Rule(func(sent []byte) systemtest.Fate {
		if bytes.Contains(sent, []byte(leader.ID)) {
			first.Do(func() { close(seen) }) // it comes twice where the server does not know the script yet
			<-held
		} else if rule != nil {
			return rule(sent)
		}
		return systemtest.Deliver
	})
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := j.Ledger.Reserve(t.Context(), leader); err != nil {
			t.Error(err)
		}
	})
	<-seen
	outcomes := make([]outcome, len(requests))
	for i, r := range requests {
		all.Go(func() {
			if r.Kind == stock.Cancel {
				outcomes[i].receipt, outcomes[i].err = j.Ledger.Cancel(t.Context(), r)
			} else {
				outcomes[i].receipt, outcomes[i].err = j.Ledger.Reserve(t.Context(), r)
			}
		})
		servertest.Eventually(t, 10*time.Second, "the request waits", func() bool {
			return counter(t, j.Registry, "neticket_bookings_waiting") == float64(i+1)
		})
	}
	close(held)
	all.Wait()
	j.proxy.Rule(nil)
	return outcomes
}

func cancelOf(show, user int64, key string) stock.Request {
	r := request(show, user, 1, key)
	r.Kind = stock.Cancel
	return r
}

// sameShard adds shows until one lies in the shard of another.
func sameShard(t *testing.T, rig *systemtest.Rig, show int64, add func() int64) int64 {
	t.Helper()
	other := add()
	for rig.Shards.Of(other) != rig.Shards.Of(show) {
		other = add()
	}
	return other
}

// Requests that share a call see what those before them did, and each gets its own answer.
func TestJoinedRequestsGetTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	j := newJoiner(t, rig)
	show := load(t, rig, 7, 2)
	other := sameShard(t, rig, show, func() int64 { return load(t, rig, 10, 0) })
	missing := sameShard(t, rig, show, func() int64 { return rig.Show(t, 10, 0) })
	outcomes := j.join(t, show, nil,
		request(show, 1, 2, "a"), request(show, 1, 1, "b"), request(show, 2, 1, "a"), request(show, 2, 1, "a"), request(show, 2, 2, "a"),
		request(missing, 3, 1, "a"), request(other, 1, 4, "a"), cancelOf(show, 8, "a"), cancelOf(show, 8, "a"), request(show, 3, 2, "a"),
		request(show, 4, 2, "a"), request(show, 5, 1, "a"))
	seq := 1 // that of the first call's
	for i, want := range []error{
		nil, &stock.LimitError{Held: 2, Limit: 2}, nil, nil, stock.ErrConflict,
		stock.ErrUnloaded, nil, nil, nil, nil,
		&stock.SoldOutError{Left: 1}, nil,
	} {
		got := outcomes[i]
		wantError(t, got.err, want)
		if repeated := i == 3 || i == 8; want == nil && (got.receipt.Repeated != repeated || !repeated && got.receipt.Marker.Entry == "") {
			t.Errorf("request %d: %+v", i, got.receipt)
		}
		if want == nil && !got.receipt.Repeated && i != 6 {
			seq++
		}
	}
	if hash := hashOf(t, rig, show); hash["left"] != "0" || hash["seq"] != fmt.Sprint(seq) {
		t.Errorf("%s left, seq %s; want 0 and %d", hash["left"], hash["seq"], seq)
	}
	if hash := hashOf(t, rig, other); hash["left"] != "6" || hash["seq"] != "1" {
		t.Errorf("the other show: %s left, seq %s", hash["left"], hash["seq"])
	}
	if n := len(take(t, rig, show)); n != seq+1 {
		t.Errorf("%d entries, want %d", n, seq+1)
	}
}

// An append that fails in the middle of a call: what came before is done whole, and nothing of what comes after.
func TestAppendFailsInTheMiddleOfACall(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	j := newJoiner(t, rig)
	show := load(t, rig, 10, 4)
	stream := rig.Shards.Entries(rig.Shards.Of(show))
	// Three more ids, and the stream can have no more: for the first call, and two.
	last := rig.Redis.Do(t.Context(), "XADD", stream, "18446744073709551615-18446744073709551612", "v", "by hand").Err()
	if err := errors.Join(last, rig.Redis.XDel(t.Context(), stream, "18446744073709551615-18446744073709551612").Err()); err != nil {
		t.Fatal(err)
	}
	outcomes := j.join(t, show, nil, request(show, 1, 2, "a"), request(show, 2, 1, "a"), request(show, 3, 1, "a"), request(show, 1, 2, "a"),
		request(show, 1, 1, "b"))
	for i, want := range []error{nil, nil, stock.ErrUnavailable, stock.ErrUnavailable, stock.ErrUnavailable} {
		wantError(t, outcomes[i].err, want)
	}
	if hash := hashOf(t, rig, show); hash["left"] != "6" || hash["seq"] != "3" || hash["settled"] != "0" {
		t.Errorf("%v; want 6 left, 3 entries", hash)
	}
	for user, want := range map[int64]string{1: "2", 2: "1", 3: ""} {
		markers := rig.Redis.HLen(t.Context(), rig.Shards.User(rig.Shards.Of(show), user)).Val()
		if got := usersOf(t, rig, show)[fmt.Sprint(user)]; got != want || (want == "") != (markers == 0) {
			t.Errorf("user %d has %q units and %d markers, want %q", user, got, markers, want)
		}
	}
	if n := len(take(t, rig, show)); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

// The reply to a call is lost, or the call: one read of all markers decides for each request.
func TestLostReplyOfAJoinedCall(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	j := newJoiner(t, rig)
	for name, test := range map[string]struct {
		fate systemtest.Fate
		want error
	}{"the reply": {systemtest.LoseAnswer, nil}, "the call": {systemtest.LoseRequest, stock.ErrUnknown}} {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 0)
			_ = j.join(t, show, nil, request(show, 1, 1, "warm up"))
			reads := 0
			requests := []stock.Request{request(show, 1, 1, "a"), request(show, 2, 2, "a"), cancelOf(show, 3, "a"), request(show, 4, 1, "a")}
			outcomes := j.join(t, show, func(sent []byte) systemtest.Fate {
				switch {
				case bytes.Contains(sent, []byte("hget")):
					reads++
				case bytes.Contains(sent, []byte("evalsha")):
					return test.fate
				}
				return systemtest.Deliver
			}, requests...)
			if reads != 1 {
				t.Errorf("the markers were read %d times", reads)
			}
			for i, got := range outcomes {
				if requests[i].Kind == stock.Cancel { // its marker proves nothing
					wantError(t, got.err, stock.ErrUnknown)
					continue
				}
				wantError(t, got.err, test.want)
				if test.want == nil && (!got.receipt.Repeated || got.receipt.Marker.Units != requests[i].Units) {
					t.Errorf("request %d: %+v", i, got.receipt)
				}
			}
			for _, r := range requests { // once more: all are done once
				if r.Kind != stock.Cancel {
					reserve(t, rig, r)
				}
			}
			if left := hashOf(t, rig, show)["left"]; left != "3" { // 10, less 3 before, and 4
				t.Errorf("%s left, want 3", left)
			}
		})
	}
}
