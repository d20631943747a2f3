package memo

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	const most = 20 * (EntryOverhead + 100)
	c := New[int, string](most)
	made := 0
	get := func(key int) {
		value, err := c.Get(key, func() (string, int, error) { made++; return fmt.Sprint(key), 100, nil })
		if err != nil || value != fmt.Sprint(key) {
			t.Fatalf("%d: %q, %v", key, value, err)
		}
	}
	for key := range 1000 {
		get(key)
		get(0) // which is used all the time, so it stays
		if n := len(c.young) + len(c.old); n > 20 {
			t.Fatalf("%d are kept, of 20", n)
		}
	}
	if made != 1000 {
		t.Errorf("made %d times, want 1000", made)
	}
	if _, err := c.Get(-1, func() (string, int, error) { return "", 0, errors.New("not made") }); err == nil || len(c.young)+len(c.old) > 20 {
		t.Error("an error is kept")
	}
	value, err := c.Get(-1, func() (string, int, error) { return "large", most, nil })
	if _, kept := c.young[-1]; value != "large" || err != nil || kept {
		t.Errorf("what is larger than all: %q, %v, kept: %v", value, err, kept)
	}
}

func TestCacheIsShared(t *testing.T) {
	t.Parallel()
	c := New[int, int](100 * EntryOverhead)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 2000 {
				key := (i * (g + 1)) % 97
				if got, err := c.Get(key, func() (int, int, error) { return key * key, 8, nil }); got != key*key || err != nil {
					t.Errorf("%d: %d, %v", key, got, err)
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkGet is what it costs to get something that is kept:
//
//	go test ./internal/web/memo -run '^$' -bench . -benchmem
func BenchmarkGet(b *testing.B) {
	type key struct {
		id   int64
		text string
	}
	c := New[key, int](1 << 20)
	at := key{7, strings.Repeat("a", 200)}
	b.ReportAllocs()
	for b.Loop() {
		if got, err := c.Get(at, func() (int, int, error) { return 8, 8, nil }); got != 8 || err != nil {
			b.Fatal(got, err)
		}
	}
}
