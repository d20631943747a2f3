package main

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]float64{
		"2000 (1000 to 9000)":    {2000, 9000, 1000},
		"150 (100 to 200)":       {200, 100},
		"0.50":                   {0.5},
		"0.023 (0.020 to 0.025)": {0.02, 0.023, 0.025},
	} {
		if got := spreadOf(values).String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// measured returns results in which references and figures were taken in the given order.
func measured(samples ...struct {
	name  string
	value float64
}) *results {
	r := &results{Version: "tiny", Date: time.Now()}
	for _, s := range samples {
		r.add(s.name, s.value)
	}
	r.finish()
	return r
}

type sample = struct {
	name  string
	value float64
}

// A ratio is to the mean of the reference just before and just after, however far it drifts over the whole run.
func TestRatioIsToNeighbours(t *testing.T) {
	t.Parallel()
	r := measured(sample{floor64, 1000}, sample{"reading/list", 600}, sample{floor64, 2000}, sample{"reading/list", 1500}, sample{floor64, 4000},
		sample{"reading/list", 1000})
	if got := *r.figure("reading/list").Ratio; got != (spread{0.4, 0.25, 0.5}) {
		t.Errorf("got %v", got)
	}
	if ok := r.figure("reading/list").Reached; ok == nil || *ok {
		t.Error("0.40 of the floor reaches 0.45")
	}
}

func TestEarlierBuild(t *testing.T) {
	t.Parallel()
	r := measured(sample{"cpu/total", 0.06}, sample{"cpu/total@baseline", 0.16}, sample{"cpu/total", 0.08}, sample{"cpu/total@baseline", 0.24})
	f := r.figure("cpu/total")
	if f.OfBaseline == nil || math.Abs(f.OfBaseline.Most-0.4) > 1e-9 {
		t.Errorf("got %v", f.OfBaseline)
	}
	if f.Reached == nil || !*f.Reached {
		t.Errorf("a median of %v of the earlier build misses %s", f.OfBaseline, f.Goal)
	}
	if text := r.markdown(); !strings.Contains(text, "0.070 (0.060 to 0.080) CPU s per 1,000") {
		t.Error(text)
	}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	at := func(floor, list, p99 float64) *results {
		return measured(sample{floor64, floor}, sample{"reading/list", list}, sample{"reading/list", list * 1.1}, sample{"mix/p99", p99}, sample{floor64, floor})
	}
	stored := at(1000, 500, 20)
	for name, test := range map[string]struct {
		now   *results
		worse []string
	}{
		"the same":                         {at(1000, 500, 20), nil},
		"a slower machine":                 {at(500, 250, 20), nil},
		"a little slower, within spread":   {at(1000, 470, 21), nil},
		"slower than the machine explains": {at(1000, 300, 20), []string{"`reading/list`, list of shows: 0.53 (0.50 to 0.55) -> 0.32 (0.30 to 0.33) of floor/64, worse by 40 %"}},
		"a longer wait":                    {at(1000, 500, 40), []string{"worse by 100 %"}},
		"faster":                           {at(1000, 900, 2), nil},
	} {
		text := comparison(stored, test.now)
		if got := strings.Count(text, "worse by"); got != len(test.worse) {
			t.Errorf("%s: %d changes\n%s", name, got, text)
		}
		for _, want := range test.worse {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %s", name, want, text)
			}
		}
	}
	if text := comparison(nil, stored); !strings.Contains(text, "no stored results") {
		t.Error(text)
	}
}

// A group that fails costs its own figures, not those of the others, and the run fails.
func TestGroupThatFails(t *testing.T) {
	t.Parallel()
	b := &bench{options: options{only: []string{"reading", "mix"}}, results: &results{Version: "tiny", Date: time.Now()}}
	list := []group{
		{"reading", func(*bench, context.Context) error { return errors.New("no list") }},
		{"booking", func(*bench, context.Context) error { return errors.New("nobody asked for it") }},
		{"mix", func(b *bench, _ context.Context) error { b.results.add("mix/mean", 5); return nil }},
	}
	if err := b.each(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if got := b.results.Failures; len(got) != 1 || got[0] != "measure reading: no list" {
		t.Errorf("failures are %q", got)
	}
	if len(b.results.Groups) != 1 || b.results.Groups[0].Name != "mix" || b.results.figure("mix/mean") == nil {
		t.Errorf("measured are %v", b.results.Groups)
	}
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errLate)
	if err := b.each(over, list); !errors.Is(err, errLate) {
		t.Errorf("out of time, and the error is %v", err)
	}
}

// Stored results keep the groups that a run leaves out, and nothing of those that it measured again.
func TestKeep(t *testing.T) {
	t.Parallel()
	of := func(revision string, groups ...string) *results {
		r := &results{Version: "tiny", Date: time.Now(), Revision: revision}
		for _, g := range groups {
			r.begin(g)
			r.add(map[string]string{"reading": "reading/list", "mix": "mix/mean"}[g], 1)
			r.Checks = append(r.Checks, check{After: revision, Group: g})
			r.end()
		}
		return r
	}
	r := of("new", "mix")
	r.keep(of("old", "reading", "mix"))
	if len(r.Figures) != 2 || r.Figures[0].Name != "reading/list" || r.Groups[0].Revision != "old" || r.Groups[1].Revision != "new" {
		t.Errorf("figures %v, groups %v", r.Figures, r.Groups)
	}
	if len(r.Checks) != 2 || r.Checks[0].After != "new" {
		t.Errorf("checks %v", r.Checks)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	before := samples{`h_bucket{le="0.1"}`: 5, `h_bucket{le="0.2"}`: 5, `h_bucket{le="+Inf"}`: 5}
	after := samples{`h_bucket{le="0.1"}`: 55, `h_bucket{le="0.2"}`: 105, `h_bucket{le="+Inf"}`: 105, `other_bucket{le="0.1"}`: 9}
	for q, want := range map[float64]float64{0.25: 0.05, 0.5: 0.1, 0.75: 0.15, 1: 0.2} {
		if got := quantile(before, after, "h", q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if got := quantile(after, after, "h", 0.5); !math.IsNaN(got) {
		t.Errorf("of nothing: %v", got)
	}
}
