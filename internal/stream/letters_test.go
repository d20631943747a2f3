package stream_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stream"
)

// Pages go through all shards, the newest first, whatever is buried or dropped meanwhile; each letter is on one page.
func TestPagesOfLetters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	g := stream.NewGroup(d.Client, group, shards)
	if letters, more, err := g.Letters(t.Context(), stream.LetterID{}, 10); len(letters) > 0 || more || err != nil {
		t.Errorf("of none: %v, %v, %v", letters, more, err)
	}
	put := func(shard int, id string) string {
		if err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[shard].Dead, ID: id, Values: []any{"fields", `["a","1"]`}}).Err(); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(shard, "-", id)
	}
	var want []string // the oldest first
	for i := range 60 {
		switch ms := strconv.Itoa(1_764_000_000_000 + i); {
		case i%3 == 0: // of one time, in both shards
			want = append(want, put(0, ms+"-0"), put(1, ms+"-0"))
		case i < 40: // more than is read at once, in one shard
			want = append(want, put(1, ms+"-0"), put(1, ms+"-1"))
		default:
			want = append(want, put(0, ms+"-7"))
		}
	}
	for limit := 1; limit < len(want)+2; limit += 7 {
		var got []string
		for before := (stream.LetterID{}); ; {
			letters, more, err := g.Letters(t.Context(), before, limit)
			if err != nil || len(letters) == 0 || len(letters) > limit {
				t.Fatalf("pages of %d: %d letters, %v", limit, len(letters), err)
			}
			for _, letter := range letters {
				got = append([]string{letter.ID.String()}, got...)
			}
			if !more {
				break
			}
			before = letters[len(letters)-1].ID
			if limit == 1 && len(got) < 9 { // newer ones, and one that is gone, move nothing
				put(len(got)%2, fmt.Sprint(1_764_000_001_000+len(got), "-0"))
				if err := g.Drop(t.Context(), before); err != nil {
					t.Fatal(err)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", limit, diff)
		}
		if limit == 1 {
			letters, _, err := g.Letters(t.Context(), stream.LetterID{}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			want = nil
			for _, letter := range letters {
				want = append([]string{letter.ID.String()}, want...)
			}
		}
	}
}

// A page of large letters is shorter, so that it fits into memory; none is left out.
func TestLargeLetters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	g := stream.NewGroup(d.Client, group, shards)
	for range 5 {
		err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[0].Dead, Values: []any{"fields", `["a","` + strings.Repeat("x", 600_000) + `"]`}}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	before, more := stream.LetterID{}, true
	for more {
		var letters []stream.Letter
		var err error
		if letters, more, err = g.Letters(t.Context(), before, 100); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(letters))
		before = letters[len(letters)-1].ID
	}
	if fmt.Sprint(sizes) != "[2 2 1]" {
		t.Errorf("pages of %v letters", sizes)
	}
}
