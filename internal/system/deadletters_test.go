package system_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// bury puts an entry with one field into a shard's dead letters and returns its id there.
func bury(t *testing.T, rig *systemtest.Rig, shard int, name, value string) stream.LetterID {
	t.Helper()
	entries := rig.Shards.Entries(shard)
	if err := rig.Redis.XGroupCreateMkStream(t.Context(), entries, "recorders", "0").Err(); err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		t.Fatal(err)
	}
	id, err := rig.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: entries, Values: []any{name, value}}).Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := rig.Redis.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "recorders", Consumer: "w", Streams: []string{entries, ">"}, Block: -1}).Err(); err != nil {
		t.Fatal(err)
	}
	if moved, err := rig.Group.Bury(t.Context(), shard, id, "why"); err != nil || !moved {
		t.Fatal(moved, err)
	}
	letters, _, err := rig.Group.Letters(t.Context(), stream.LetterID{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, letter := range letters {
		if letter.Shard == shard && letter.Entry == id {
			return letter.ID
		}
	}
	t.Fatalf("entry %s was not buried: %v", id, letters)
	return stream.LetterID{}
}

// A dropped letter is gone, and what it held is in the audit log. One that is not there leaves nothing.
func TestDropDeadLetter(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	dead := rig.OpenDeadLetters()
	id := bury(t, rig, 3, "\xff\x00", `<"예">`)
	none := id
	none.Seq += 9
	if err := dead.Drop(t.Context(), admin(), none); !errors.Is(err, stream.ErrNoLetter) {
		t.Errorf("drop %s: %v", none, err)
	}
	wantRecords(t, rig)
	letter, err := dead.Letter(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.Drop(t.Context(), admin(), id); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`dead_letter.drop dead_letter:%s {"id":"%s","shard":3,"entry_id":"%s","buried_at":"%s","reason":"why","fields":{"\\xff\\x00":"\u003c\"예\"\u003e"}}`,
		id, id, letter.Entry, letter.BuriedAt.Format("2006-01-02T15:04:05.999Z07:00"))
	wantRecords(t, rig, want)
	if err := dead.Drop(t.Context(), admin(), id); !errors.Is(err, stream.ErrNoLetter) {
		t.Errorf("dropped twice: %v", err)
	}
	wantRecords(t, rig, want)

	// However large it is.
	large := bury(t, rig, 4, "noise", strings.Repeat("\xfe", 200_000))
	if err := dead.Drop(t.Context(), admin(), large); err != nil {
		t.Fatal(err)
	}
	if got := records(t, rig); len(got) != 2 || strings.Count(got[1], `\\xfe`) < 8_000 || !strings.Contains(got[1], "(800000 bytes in all)") {
		t.Errorf("%d records: %.300s", len(got), got)
	}
}

// Without a record nothing is dropped.
func TestDropNeedsTheLog(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	dead := rig.OpenDeadLetters()
	id := bury(t, rig, 0, "a", "1")
	exec(t, rig, "ALTER TABLE audit_log ADD COLUMN missing INT NOT NULL")
	if err := dead.Drop(t.Context(), admin(), id); err == nil || errors.Is(err, stream.ErrNoLetter) {
		t.Errorf("without the log: %v", err)
	}
	if _, err := dead.Letter(t.Context(), id); err != nil {
		t.Errorf("the letter is gone without a record: %v", err)
	}
}

// Of many who drop one letter at once, one is told that he did; there is a record of his.
func TestDropAtOnce(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	dead := rig.OpenDeadLetters()
	id := bury(t, rig, 0, "a", "1")
	var dropped atomic.Int64
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			switch err := dead.Drop(t.Context(), admin(), id); {
			case err == nil:
				dropped.Add(1)
			case !errors.Is(err, stream.ErrNoLetter):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(records(t, rig)); dropped.Load() != 1 || got < 1 {
		t.Errorf("%d dropped it, %d records", dropped.Load(), got)
	}
}
