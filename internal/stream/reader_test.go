package stream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

func numbered(shard, first, last int) (names []string) {
	for n := first; n <= last; n++ {
		names = append(names, fmt.Sprintf("%d:%d", shard, n))
	}
	return names
}

func TestReadInBatchesAndInOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	d.add(t, 0, 1, 25) // before anyone reads
	newReader(t, d, stream.Options{Consumer: "w1", Batch: 10}).start(t)
	d.gets(t, 0, 25)
	d.add(t, 0, 26, 30)
	d.add(t, 1, 1, 3)
	d.gets(t, 0, 30)
	d.gets(t, 1, 3)
	for shard, last := range []int{30, 3} {
		if diff := cmp.Diff(numbered(shard, 1, last), d.handed(shard)); diff != "" {
			t.Errorf("shard %d (-want +got):\n%s", shard, diff)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, batch := range d.batches[:3] {
		if want := []int{10, 10, 5}[i]; len(batch) != want {
			t.Errorf("batch %d has %d entries, want %d", i, len(batch), want)
		}
	}
}

// Two readers share the work: each entry is handed out once.
func TestTwoReadersShareTheWork(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	newReader(t, d, stream.Options{Consumer: "w1", Batch: 3}).start(t)
	newReader(t, d, stream.Options{Consumer: "w2", Batch: 3}).start(t)
	d.add(t, 0, 1, 100)
	d.gets(t, 0, 100)
	seen := map[string]int{}
	for _, entry := range d.handed(0) {
		seen[entry]++
	}
	for _, entry := range numbered(0, 1, 100) {
		if seen[entry] != 1 {
			t.Errorf("entry %s was handed out %d times", entry, seen[entry])
		}
	}
}

func TestEntriesOfADeadConsumerAreClaimed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	d.add(t, 0, 1, 7)
	d.die(t, 0, "dead", time.Minute)
	d.add(t, 0, 8, 9)
	d.die(t, 0, "slow", time.Second)
	d.add(t, 0, 10, 11)
	newReader(t, d, stream.Options{Consumer: "w1", Batch: 3, ClaimAfter: 30 * time.Second}).start(t)
	d.gets(t, 0, 9)
	if diff := cmp.Diff(append(numbered(0, 1, 7), numbered(0, 10, 11)...), d.handed(0)); diff != "" {
		t.Errorf("what was silent for long enough, then the new ones (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"dead": 0, "slow": 2, "w1": 0}, d.consumers(t, 0)); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

// A reader stays the owner of what its handler is busy with, for however long that takes.
func TestOwnershipIsKept(t *testing.T) {
	t.Parallel()
	const claimAfter = 500 * time.Millisecond
	d := newDesk(t)
	d.open(t, 0)
	inside, goOn := make(chan struct{}), make(chan struct{})
	d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
		if entries[0].Values["n"] == "1" {
			close(inside) // panics if it is handed out again
			<-goOn
		}
		return settleAll(ctx, d, shard, entries)
	}
	d.add(t, 0, 1, 3)
	newReader(t, d, stream.Options{Consumer: "busy", ClaimAfter: claimAfter}).start(t)
	<-inside
	// The control: one who does not keep what it has loses it meanwhile.
	d.add(t, 0, 100, 101)
	d.die(t, 0, "careless", 0)
	thief := newReader(t, d, stream.Options{Consumer: "thief", ClaimAfter: claimAfter})
	thief.start(t)
	began := time.Now()
	servertest.Eventually(t, 20*time.Second, "the thief has tried for long enough", func() bool {
		d.add(t, 0, 1000, 1000) // it claims between two reads, which wait for a second where nothing is new
		return time.Since(began) > 3*claimAfter && thief.of("xautoclaim") >= 10
	})
	for entry, want := range map[string]int{"0:1": 1, "0:3": 1, "0:100": 1, "0:101": 1} {
		count := 0
		for _, handed := range d.handed(0) {
			if handed == entry {
				count++
			}
		}
		if count != want {
			t.Errorf("entry %s was handed out %d times, want %d", entry, count, want)
		}
	}
	if owned := d.consumers(t, 0); owned["busy"] != 3 || owned["careless"] != 0 {
		t.Errorf("owners %v; want the busy one to have kept 3, the careless one none", owned)
	}
	close(goOn)
}

// What a handler could not do is handed out again, to this reader too.
func TestFailedBatchIsHandedOutAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	tries := 0
	d.handle = func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
		if tries++; tries <= 2 {
			return errors.New("not now")
		}
		return settleAll(ctx, d, shard, entries)
	}
	d.add(t, 0, 1, 2)
	newReader(t, d, stream.Options{Consumer: "w1", ClaimAfter: 20 * time.Millisecond}).start(t)
	d.gets(t, 0, 6)
	servertest.Eventually(t, 10*time.Second, "they are settled", func() bool { return d.XLen(t.Context(), shards[0].Entries).Val() == 0 })
}

// Entries that somebody deleted are counted: there must be none.
func TestTrimmedEntriesAreCounted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	ids := d.add(t, 0, 1, 3)
	d.die(t, 0, "dead", time.Minute)
	if err := d.XDel(t.Context(), shards[0].Entries, ids[1]).Err(); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, d, stream.Options{Consumer: "w1"})
	r.start(t)
	d.gets(t, 0, 2)
	if diff := cmp.Diff([]string{"0:1", "0:3"}, d.handed(0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := value(t, r.metrics, "neticket_trimmed_entries_total"); n != 1 {
		t.Errorf("%v trimmed entries counted, want 1", n)
	}
}

// A reader that has nothing to read is seen, again and again. Redis before 7.2 does not even know it by its reads.
func TestIdleReaderIsSeen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open(t)
	newReader(t, d, stream.Options{Consumer: "idle", ClaimAfter: 500 * time.Millisecond}).start(t)
	for shard := range shards {
		var before time.Duration
		servertest.Eventually(t, 15*time.Second, "the reader is heard of for a second time", func() bool {
			list, err := d.XInfoConsumers(t.Context(), shards[shard].Entries, group).Result()
			if err != nil || len(list) == 0 {
				return false
			}
			again := list[0].Idle < before
			before = list[0].Idle
			return again
		})
	}
	if got := d.handed(0); len(got) > 0 {
		t.Errorf("handed %v of nothing", got)
	}
}
