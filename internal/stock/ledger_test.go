package stock_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// set returns a change of fields of a show's hash.
func set(fields ...any) func(*testing.T, *systemtest.Rig, int64) {
	return func(t *testing.T, rig *systemtest.Rig, show int64) {
		if err := rig.Redis.HSet(t.Context(), rig.Shards.Show(show), fields...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func unset(field string) func(*testing.T, *systemtest.Rig, int64) {
	return func(t *testing.T, rig *systemtest.Rig, show int64) {
		rig.Redis.HDel(t.Context(), rig.Shards.Show(show), field)
	}
}

func deleteHash(t *testing.T, rig *systemtest.Rig, show int64) {
	rig.Redis.Del(t.Context(), rig.Shards.Show(show))
}

func deleteStream(t *testing.T, rig *systemtest.Rig, show int64) {
	rig.Redis.Del(t.Context(), rig.Shards.Entries(rig.Shards.Of(show)))
}

// closedDoors are the states in which neither a booking nor a cancel gets in.
var closedDoors = map[string]struct {
	change func(*testing.T, *systemtest.Rig, int64)
	want   error
}{
	"no hash":        {deleteHash, stock.ErrUnloaded},
	"unloaded":       {set("state", "unloaded"), stock.ErrUnloaded},
	"no stream":      {deleteStream, stock.ErrUnloaded},
	"paused":         {set("state", "paused"), stock.ErrPaused},
	"no epoch":       {unset("epoch"), stock.ErrGarbled},
	"no seq":         {unset("seq"), stock.ErrGarbled},
	"seq no number":  {set("seq", "x"), stock.ErrGarbled},
	"an empty state": {set("state", ""), stock.ErrPaused},
}

func TestReserveAnswers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	in, ago := time.Now().Add(time.Hour).UnixMilli(), time.Now().Add(-time.Hour).UnixMilli()
	type row struct {
		change func(*testing.T, *systemtest.Rig, int64)
		units  int
		want   error
	}
	tests := map[string]row{
		"not open yet":       {set("opens", in), 1, &stock.NotOpenError{Opens: time.UnixMilli(in).UTC()}},
		"closed":             {set("closes", ago), 1, stock.ErrClosed},
		"over the limit":     {nil, 4, &stock.LimitError{Held: 1, Limit: 4}},
		"more than are left": {set("limit", 0), 8, &stock.SoldOutError{Left: 7}},
		"none left":          {set("left", 0), 1, &stock.SoldOutError{Left: 0}},
		"less than none":     {set("left", -3), 1, &stock.SoldOutError{Left: -3}},
		"backlog":            {set("seq", 100001), 1, stock.ErrBusy},
		"no units":           {nil, 0, stock.ErrGarbled},
		"negative units":     {nil, -1, stock.ErrGarbled},
		"users garbled": {func(t *testing.T, rig *systemtest.Rig, show int64) {
			rig.Redis.HSet(t.Context(), rig.Shards.Users(show), 7, "x")
		}, 1, stock.ErrGarbled},
	}
	for name, door := range closedDoors {
		tests[name] = row{door.change, 1, door.want}
	}
	for _, field := range []string{"left", "settled", "limit", "opens", "closes"} {
		tests["no "+field] = row{unset(field), 1, stock.ErrGarbled}
		tests[field+" no number"] = row{set(field, "x"), 1, stock.ErrGarbled}
	}
	for name, test := range tests { // one after the other: they share streams
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 4)
			reserve(t, rig, request(show, 7, 1, "a"))
			reserve(t, rig, request(show, 8, 2, "a"))
			if test.change != nil {
				test.change(t, rig, show)
			}
			unchanged(t, rig, show, func() {
				receipt, err := rig.Ledger.Reserve(t.Context(), request(show, 7, test.units, "b"))
				wantError(t, err, test.want)
				if receipt != (stock.Receipt{}) {
					t.Errorf("got a receipt with the error: %+v", receipt)
				}
			})
		})
	}
}

func TestReserveTakesUnitsAndAppends(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 4)
	r := request(show, 7, 3, "a")
	r.From, r.Trace = "api-1", "00-trace"
	first := reserve(t, rig, r)
	if first.Repeated || first.Marker.Entry == "" {
		t.Errorf("got %+v; want a new entry", first)
	}
	if left := hashOf(t, rig, show)["left"]; left != "7" {
		t.Errorf("%s left, want 7", left)
	}
	entries := take(t, rig, show)
	if len(entries) != 1 || entries[0].ID != first.Marker.Entry {
		t.Fatalf("got entries %v, want the one of the receipt, %s", entries, first.Marker.Entry)
	}
	want := map[string]any{"e": fmt.Sprintf("2|%d|1|1|reserve|3|7|%s|api-1|00-trace", show, r.ID)}
	if diff := cmp.Diff(want, entries[0].Values); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	if got := usersOf(t, rig, show)["7"]; got != "3" {
		t.Errorf("the user has %q units, want 3", got)
	}

	// The same request again, also when nothing is left or the sale is over, gives the same entry.
	set("closes", 1, "left", 0)(t, rig, show)
	unchanged(t, rig, show, func() {
		again := reserve(t, rig, r)
		marker := stock.Marker{Kind: stock.Reserve, Units: 3, Show: show, Epoch: 1, Seq: 1, Entry: first.Marker.Entry}
		if !again.Repeated || again.Marker != marker {
			t.Errorf("again: %+v, want the marker %+v", again, marker)
		}
		r.Units = 2
		if _, err := rig.Ledger.Reserve(t.Context(), r); !errors.Is(err, stock.ErrConflict) {
			t.Errorf("the same key with other units: %v, want %v", err, stock.ErrConflict)
		}
	})
	if ttl := rig.Redis.TTL(t.Context(), rig.Shards.User(rig.Shards.Of(show), 7)).Val(); ttl <= 47*time.Hour || ttl > 48*time.Hour {
		t.Errorf("the request is remembered for %v, want 48 h", ttl)
	}
}

func TestCancelAnswers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	type row struct {
		change func(*testing.T, *systemtest.Rig, int64)
		want   error
	}
	tests := map[string]row{
		"started":   {set("starts", time.Now().Add(-time.Minute).UnixMilli()), stock.ErrStarted},
		"no starts": {unset("starts"), stock.ErrGarbled},
	}
	for name, door := range closedDoors {
		tests[name] = row{door.change, door.want}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			show := load(t, rig, 10, 0)
			test.change(t, rig, show)
			unchanged(t, rig, show, func() {
				_, err := rig.Ledger.Cancel(t.Context(), request(show, 7, 1, "a"))
				wantError(t, err, test.want)
			})
		})
	}
}

func TestCancelAppendsOncePerEpoch(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	r := request(show, 7, 2, "a")
	for epoch := int64(1); epoch <= 2; epoch++ { // the marker of an older epoch is void
		first, err := rig.Ledger.Cancel(t.Context(), r)
		if err != nil || first.Repeated || first.Marker.Entry == "" {
			t.Fatalf("epoch %d: %+v, %v; want a new entry", epoch, first, err)
		}
		unchanged(t, rig, show, func() {
			if again, err := rig.Ledger.Cancel(t.Context(), r); err != nil || !again.Repeated {
				t.Errorf("epoch %d, again: %+v, %v; want it repeated", epoch, again, err)
			}
		})
		if got := hashOf(t, rig, show)["left"]; got != "10" {
			t.Errorf("%s left; units come back when the entry is settled, not before", got)
		}
		if n, err := rig.Ledger.Settle(t.Context(), rig.Shards.Of(show), settlements(t, take(t, rig, show), 0, 0)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		resync(t, rig, show)
	}
}
