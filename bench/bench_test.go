package main

import (
	"bytes"
	"os/exec"
	"strings"
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

// TestTargets: the programs answer what is asked for, the booking page to its customer alone, and what was booked for it adds up.
func TestTargets(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	programs := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", programs, "../cmd/...").CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	rig, err := newRig(ctx, programs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rig.close(); err != nil {
			t.Error(err)
		}
	}()
	r := report{options: options{shows: 200}, at: time.Now()}
	words := newVocabulary()
	if err := rig.fill(ctx, &r, words); err != nil {
		t.Fatal(err)
	}
	api, err := rig.startAll(ctx, &r)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := readingTargets(ctx, api.url, words)
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range targets {
		if len(asked.requests) == 0 || asked.what == "" {
			t.Errorf("nothing is asked for: %v", asked)
		}
		if err := newProber(api.url).try(ctx, asked); err != nil {
			t.Error(err)
		}
		asked.headers = asBrowser
		if err := newProber(api.url).try(ctx, asked); (err == nil) != (asked.name != "booking page") {
			t.Errorf("%s, not logged in: %v", asked.name, err)
		}
	}
	if said, err := rig.neticket(ctx, "stock", "check"); err != nil || !strings.Contains(said, "All invariants hold") {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	run := func(requests, p99 int) figures { return figures{Requests: requests, Microseconds: 1_000_000, P99: p99} }
	for want, runs := range map[string][]figures{
		"2000 (1000 to 9000)": {run(2000, 0), run(9000, 0), run(1000, 0)},
		"150 (100 to 200)":    {run(200, 0), run(100, 0)},
		"0.50 (0.50 to 0.50)": {{Requests: 1, Microseconds: 2_000_000}},
	} {
		if got := spreadOf(runs, perSecond).String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	r := report{results: []result{
		{target{name: "floor"}, []figures{run(1000, 1), run(2000, 1)}},
		{target{name: "search"}, []figures{run(500, 20_000), run(500, 20_000)}},
	}}
	if got := spreadOf(r.results[1].runs, r.ofFloor); got != (spread{0.375, 0.25, 0.5}) {
		t.Errorf("of the floor: %v", got)
	}
	if err := r.verdict(); err != nil {
		t.Errorf("as slow as it may be: %v", err)
	}
	r.results[1].runs[0].P99++
	if err := r.verdict(); err == nil || !strings.Contains(err.Error(), "goal") {
		t.Errorf("slower: %v", err)
	}
	r.results[1].runs[0].P99--
	r.results[0].runs[1].Broken = 2
	if err := r.verdict(); err == nil || !strings.Contains(err.Error(), "2 requests of floor") {
		t.Errorf("failed requests: %v", err)
	}
}
