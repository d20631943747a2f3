package main

import (
	"fmt"
	"math"
	"slices"
)

// figure is one thing that was measured, a sample a run.
type figure struct {
	Name    string    `json:"name"`  // as in definitions.go; "@baseline" behind it: of the earlier build
	Group   string    `json:"group"` // "": of all, as the references are
	What    string    `json:"what"`
	Unit    string    `json:"unit"`
	Samples []float64 `json:"samples"`
	spread            // of the samples

	Reference  string  `json:"reference,omitempty"` // what it is compared with
	Ratio      *spread `json:"ratio,omitempty"`     // to the reference: to the mean of its samples just before and after
	OfBaseline *spread `json:"of_baseline,omitempty"`

	Goal    string `json:"goal,omitempty"` // in words
	Reached *bool  `json:"reached,omitempty"`
	// Answers counts what requests were answered, over all runs, by status and code, or by what became of those without one.
	Answers map[string]int `json:"answers,omitempty"`

	order []int // when each sample was taken, as its place among all samples of the run
}

// spread is a median with the least and the greatest.
type spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]}
}

func (s spread) String() string {
	if s.Least == s.Most {
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s to %s)", number(s.Median), number(s.Least), number(s.Most))
}

// number writes a number with three digits that matter, or all those before the point.
func number(v float64) string {
	digits := 2
	switch v := math.Abs(v); {
	case v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	case v < 0.1 && v > 0:
		digits = 3
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// near returns the mean of the samples just before and just after a place in the run, or of the one that there is.
func (f *figure) near(place int) (float64, bool) {
	after, _ := slices.BinarySearch(f.order, place)
	neighbours := f.Samples[max(0, after-1):min(after+1, len(f.Samples))]
	if len(neighbours) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, v := range neighbours {
		sum += v
	}
	return sum / float64(len(neighbours)), true
}

// over returns the ratios of a figure's samples to those of another near them, or nil.
func (f *figure) over(other *figure) *spread {
	if other == nil || len(f.Samples) == 0 {
		return nil
	}
	ratios := make([]float64, len(f.Samples))
	for i, v := range f.Samples {
		reference, ok := other.near(f.order[i])
		if !ok || reference == 0 {
			return nil
		}
		ratios[i] = v / reference
	}
	s := spreadOf(ratios)
	return &s
}
