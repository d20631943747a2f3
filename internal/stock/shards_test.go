package stock_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/stock"
)

// thousand takes seconds to make under the race detector.
var thousand = sync.OnceValue(func() stock.Shards { return stock.NewShards(1000) })

func newShards(n int) stock.Shards {
	if n == 1000 {
		return thousand()
	}
	return stock.NewShards(n)
}

func TestCRC16(t *testing.T) {
	t.Parallel()
	if got := stock.CRC16("123456789"); got != 0x31C3 {
		t.Errorf("got %#x, want 0x31C3 (the check value in Redis Cluster's specification)", got)
	}
	// As CLUSTER []string{"nt:{15.20}:show:42", "nt:{15.20}:users:42", "nt:{0.13}:entries", "nt:{0.13}:dead", "nt:{0.13}:user:7", "nt:{0.13}:user:*"}LOT says.
	for key, slot := range map[string]uint16{"foo": 12182, "bar": 5061, "hello": 866, "": 0} {
		if got := stock.CRC16(key) % 16384; got != slot {
			t.Errorf("slot of %q is %d, want %d", key, got, slot)
		}
	}
}

func TestShardsAreSpreadOverTheSlots(t *testing.T) {
	t.Parallel()
	tag := regexp.MustCompile(`^nt:\{([^}]+)\}:entries$`)
	for _, n := range []int{1, 2, 16, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			shards, seen := newShards(n), map[string]bool{}
			if shards.Len() != n {
				t.Fatalf("%d shards, want %d", shards.Len(), n)
			}
			for i := range n {
				found := tag.FindStringSubmatch(shards.Entries(i))
				if found == nil || seen[found[1]] {
					t.Fatalf("shard %d has the key %q; want one tag of its own", i, shards.Entries(i))
				}
				seen[found[1]] = true
				// The i-th of n equal parts of the slots, without the division of the code under test.
				slot := float64(stock.CRC16(found[1]) % 16384)
				if low, high := float64(i)*16384/float64(n), float64(i+1)*16384/float64(n); slot < low || slot >= high {
					t.Errorf("shard %d lies in slot %v, want %v to %v", i, slot, low, high)
				}
			}
		})
	}
}

// What a show's shard is called must never change: its stock would be looked for elsewhere.
func TestShardOfAShowIsStable(t *testing.T) {
	t.Parallel()
	ids := []int64{1, 2, 42, 1000, 1 << 40, 1 << 62}
	for n, want := range map[int][]int{ // FNV-1a by another implementation
		1:    {0, 0, 0, 0, 0, 0},
		2:    {0, 1, 1, 0, 0, 1},
		16:   {4, 7, 15, 12, 10, 5},
		1000: {996, 223, 255, 876, 730, 909},
	} {
		shards := newShards(n)
		var got []int
		for _, id := range ids {
			got = append(got, shards.Of(id))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d shards (-want +got):\n%s", n, diff)
		}
	}
}

func TestShowsAreSpreadOverTheShards(t *testing.T) {
	t.Parallel()
	const shows, n = 16000, 16
	shards, count := stock.NewShards(n), map[int]int{}
	first := rand.Int64N(1 << 40) // shows are numbered one after the other
	for i := range int64(shows) {
		count[shards.Of(first+i)]++
	}
	for shard := range n {
		if got := count[shard]; got < shows/n/2 || got > shows/n*2 {
			t.Errorf("shard %d has %d of %d shows, from id %d on", shard, got, shows, first)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	shards := stock.NewShards(16)
	got := []string{shards.Show(42), shards.Users(42), shards.Entries(0), shards.Dead(0), shards.User(0, 7), shards.UserPattern(0)}
	want := []string{"nt:{15.20}:show:42", "nt:{15.20}:users:42", "nt:{0.13}:entries", "nt:{0.13}:dead", "nt:{0.13}:user:7", "nt:{0.13}:user:*"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
