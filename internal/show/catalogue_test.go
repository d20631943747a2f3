package show

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// memory is a table of shows with a clock and an off switch. TestStore shows that the real one keeps the same promises.
type memory struct {
	mu    sync.Mutex
	rows  map[int64]Show
	err   error
	gets  atomic.Int32
	since time.Time // what ChangedSince was last asked for
	slow  time.Duration
}

var errAway = errors.New("connection refused")

func newMemory(ids ...int64) *memory {
	m := &memory{rows: map[int64]Show{}}
	for _, id := range ids {
		m.put(Show{ID: id, StartsAt: time.Unix(1000-id, 0)})
	}
	return m
}

func (m *memory) put(s Show) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.UpdatedAt = time.Now()
	m.rows[s.ID] = s
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) Get(_ context.Context, id int64) (Show, error) {
	m.gets.Add(1)
	time.Sleep(m.slow)
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.rows[id]
	if m.err == nil && !ok {
		return Show{}, ErrNotFound
	}
	return s, m.err
}

func (m *memory) ChangedSince(_ context.Context, t time.Time) ([]Show, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since = t
	rows := slices.Collect(maps.Values(m.rows))
	return slices.DeleteFunc(rows, func(s Show) bool { return s.UpdatedAt.Before(t) }), time.Now(), m.err
}

func idsByStart(t *testing.T, c *Catalogue) []int64 {
	t.Helper()
	shows, err := c.Find(Search{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for s := range shows {
		ids = append(ids, s.ID)
	}
	return ids
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestRefreshSeesChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newMemory(1, 2, 3)
		c := NewCatalogue(table, quiet())
		if _, err := c.Find(Search{}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("before the first load: got %v, want ErrUnavailable", err)
		}
		refresh := func() {
			t.Helper()
			time.Sleep(refreshEvery)
			if err := c.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		refresh()
		if diff := cmp.Diff([]int64{3, 2, 1}, idsByStart(t, c)); diff != "" {
			t.Error(diff)
		}

		before := c.current.Load()
		refresh()
		if c.current.Load() != before {
			t.Error("a refresh that saw nothing new built a new snapshot")
		}

		table.put(Show{ID: 1, StartsAt: time.Unix(0, 0), Title: "moved to the front"})
		late := Show{ID: 9, StartsAt: time.Unix(2000, 0), UpdatedAt: time.Now().Add(-overlap / 2)}
		table.rows[9] = late // stamped before the last refresh, committed after it
		refresh()
		if diff := cmp.Diff([]int64{1, 3, 2, 9}, idsByStart(t, c)); diff != "" {
			t.Error(diff)
		}
		if s, err := c.Get(t.Context(), 1); err != nil || s.Title != "moved to the front" {
			t.Errorf("got %v, %v", s, err)
		}
		if table.gets.Load() != 0 {
			t.Error("the table was asked for a show that memory holds")
		}
		if want := time.Now().Add(-overlap - refreshEvery); !table.since.Equal(want) {
			t.Errorf("read since %v, want %v", table.since, want)
		}

		delete(table.rows, 2)
		for range reloadEvery {
			refresh()
		}
		if diff := cmp.Diff([]int64{1, 3, 9}, idsByStart(t, c)); diff != "" {
			t.Errorf("a deleted row is still there after a full reload: %s", diff)
		}
	})
}

func TestServesOldContentWhileTheTableIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newMemory(1)
		var log bytes.Buffer
		c := NewCatalogue(table, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		synctest.Wait()

		for range 3 { // fail and come back, thrice
			table.fail(errAway)
			time.Sleep(5 * refreshEvery)
			if _, err := c.Get(ctx, 1); err != nil {
				t.Errorf("a known show: %v", err)
			}
			if _, err := c.Get(ctx, 2); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotFound) {
				t.Errorf("an unknown show: %v", err)
			}
			table.fail(nil)
			time.Sleep(5 * refreshEvery)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 6 {
			t.Errorf("3 outages made %d log lines, want 6:\n%s", lines, &log)
		}
	})
}

func TestMisses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newMemory()
		table.slow = 100 * time.Millisecond
		c := NewCatalogue(table, quiet())
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		crowd := func(id int64, want error) {
			t.Helper()
			var wait sync.WaitGroup
			for range 100 {
				wait.Go(func() {
					if _, err := c.Get(t.Context(), id); !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				})
			}
			wait.Wait()
		}
		crowd(7, ErrNotFound)
		crowd(7, ErrNotFound)
		if n := table.gets.Load(); n != 1 {
			t.Errorf("200 requests for a show that is not there made %d reads, want 1", n)
		}
		time.Sleep(rememberMiss)
		table.put(Show{ID: 7})
		crowd(7, nil)
		if n := table.gets.Load(); n != 2 {
			t.Errorf("a show that came after a second: %d reads, want 2", n)
		}
		crowd(0, ErrNotFound)
		crowd(-7, ErrNotFound)
		if n := table.gets.Load(); n != 2 {
			t.Errorf("ids that cannot be made %d reads, want none", n-2)
		}

		// The first of those who wait goes away: the others still get their answer.
		first, leave := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() { _, err := c.Get(first, 8); gone <- err }()
		synctest.Wait()
		go func() { time.Sleep(table.slow / 2); leave() }()
		crowd(8, ErrNotFound)
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: got %v", err)
		}
	})
}

func TestMissesAreBounded(t *testing.T) {
	t.Parallel()
	c := NewCatalogue(newMemory(), quiet())
	for id := range int64(2*maxMisses + 1) {
		c.misses.remember(id, answer{})
	}
	if n := len(c.misses.known); n > maxMisses {
		t.Errorf("%d misses remembered, want at most %d", n, maxMisses)
	}
}

// TestFindByState holds what is found against a look at each show.
func TestFindByState(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_000_000).UTC()
	table := newMemory()
	for i := range int64(64) { // each time before, at and after now, where their order allows it
		at := func(k int64) time.Time { return now.Add(time.Duration(i>>(2*k)&3-1) * time.Millisecond) }
		table.put(Show{ID: i + 1, Title: "Swan", SalesOpenAt: at(0), SalesCloseAt: at(1), StartsAt: at(2)})
	}
	c := NewCatalogue(table, quiet())
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range States() {
		for _, words := range []Words{nil, {"swan"}} {
			holds := func(s State) bool { return s == want }
			shows, err := c.Find(Search{Words: words, States: holds, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			got := map[int64]bool{}
			for s := range shows {
				got[s.ID] = true
			}
			found := 0
			for i := range int64(64) {
				s, _ := c.Get(t.Context(), i+1)
				possible := holds(StateOf(s, now, false, 1)) || holds(StateOf(s, now, true, 1)) || holds(StateOf(s, now, false, 0))
				if possible {
					found++
				}
				if got[i+1] != possible {
					t.Errorf("%s: show %d found %v, want %v", want, i+1, got[i+1], possible)
				}
			}
			if found == 0 {
				t.Errorf("no show can be %s", want)
			}
		}
	}
}
