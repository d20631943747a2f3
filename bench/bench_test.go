package main

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/showlist"
)

// TestCatalogue: the shows can be imported, are the same every time, and are of the states that the report speaks of.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	const n = 4000
	now := time.Date(2026, 5, 3, 12, 34, 56, 0, time.UTC)
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := writeCatalogue(out, newVocabulary(), n, now); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two catalogues differ")
	}
	shows, err := showlist.Read(&first, showlist.JSONLines)
	if err != nil || len(shows) != n {
		t.Fatalf("%d shows, %v", len(shows), err)
	}
	states := map[show.State]int{}
	for _, s := range shows {
		d := s.Draft
		states[show.StateOf(show.Show{SalesOpenAt: d.SalesOpenAt, SalesCloseAt: d.SalesCloseAt, StartsAt: d.StartsAt}, now, false, s.Capacity)]++
	}
	for state, share := range map[show.State]float64{show.Ended: 0.5, show.OnSale: 0.25, show.Upcoming: 0.25} {
		if got := float64(states[state]) / n; got < share-0.05 || got > share+0.05 {
			t.Errorf("%.2f are %s, want about %.2f", got, state, share)
		}
	}
}

// tiny is a scale at which everything is measured, and nothing can be learnt.
var tiny = scale{
	name: "tiny", shows: 200, users: 200, runs: 1,
	limit: 5 * time.Minute, shares: shares(1, 1, 1, 1, 1, 1), coresForTwo: 1,
	warmUp: time.Second, reading: time.Second, reference: time.Second, booking: time.Second,
	level: time.Second, levelMore: time.Second, latency: time.Second, mix: time.Second, mine: time.Second,
	buyers: 100, mostAtOnce: 200, mixRate: 100, mixUsers: 20, sales: 20, rows: 1000,
}

// TestMain is floor and lock, too, when the bench starts itself as one of them.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if serve := references[os.Args[1]]; serve != nil {
			os.Exit(status(serve(os.Args[2:])))
		}
	}
	os.Exit(m.Run())
}

// TestGroups measures every group on real programs: nothing breaks, and each figure that is defined is found.
func TestGroups(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", programs, "../cmd/...").CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	found := map[string]bool{}
	var mu sync.Mutex
	t.Run("group", func(t *testing.T) {
		for _, g := range groups {
			t.Run(g.name, func(t *testing.T) {
				t.Parallel()
				o := options{scale: tiny, only: []string{g.name}, programs: programs, out: t.TempDir(), stored: t.TempDir(), compare: true}
				if g.name == "booking" {
					o.earlier = programs // as if it were another build
				}
				if err := run(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				r, err := readResults(o.out, tiny.name)
				if err != nil || len(r.Checks) == 0 {
					t.Fatalf("%+v, %v", r, err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, f := range r.Figures {
					found[f.Name] = true
				}
			})
		}
	})
	for _, d := range definitions {
		if !found[d.name] {
			t.Errorf("%s was not measured", d.name)
		}
	}
	if !found["cpu/total@baseline"] {
		t.Error("the earlier build was not measured")
	}
}
