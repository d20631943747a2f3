package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// results are all that a run found. They are what is stored.
type results struct {
	Version  string        `json:"version"` // short or full
	Groups   []groupResult `json:"groups"`
	Date     time.Time     `json:"date"`
	Revision string        `json:"revision"` // of git; "+" behind it: with changes
	Baseline string        `json:"baseline,omitempty"`
	Machine  machine       `json:"machine"`
	Settings []string      `json:"settings"` // in which it differs from production
	Scale    []string      `json:"scale"`    // how much was measured, in words
	Figures  []*figure     `json:"figures"`
	Checks   []check       `json:"checks"`
	Failures []string      `json:"failures"` // what broke; the exit status is 1 if there are any

	taken int // samples
	group string
	began time.Time // of the group
}

// groupResult says of which run a group's figures are: a part may have been measured again since the others were.
type groupResult struct {
	Name     string    `json:"name"`
	Date     time.Time `json:"date"`
	Revision string    `json:"revision"`
	Seconds  float64   `json:"seconds"` // that it took
}

// begin says that what comes is of a group.
func (r *results) begin(group string) { r.group, r.began = group, time.Now() }

// end says that the group is complete.
func (r *results) end() {
	r.Groups = append(r.Groups, groupResult{r.group, r.Date, r.Revision, time.Since(r.began).Round(time.Second).Seconds()})
	r.group = ""
}

// keep takes over the groups of stored results that this run has not measured.
func (r *results) keep(stored *results) {
	if stored == nil {
		return
	}
	for _, g := range stored.Groups {
		if slices.ContainsFunc(r.Groups, func(mine groupResult) bool { return mine.Name == g.Name }) {
			continue
		}
		r.Groups = append(r.Groups, g)
		for _, f := range stored.Figures {
			if f.Group == g.Name {
				r.Figures = append(r.Figures, f)
			}
		}
		for _, c := range stored.Checks {
			if c.Group == g.Name {
				r.Checks = append(r.Checks, c)
			}
		}
	}
	byDefinition := func(name string) int {
		name, _, _ = strings.Cut(name, "@")
		return slices.IndexFunc(definitions, func(d definition) bool { return d.name == name })
	}
	slices.SortStableFunc(r.Figures, func(a, b *figure) int { return byDefinition(a.Name) - byDefinition(b.Name) })
	slices.SortStableFunc(r.Groups, func(a, b groupResult) int {
		return slices.Index(groupNames(), a.Name) - slices.Index(groupNames(), b.Name)
	})
}

// add keeps a sample of a figure.
func (r *results) add(name string, value float64) {
	f := r.figure(name)
	if f == nil {
		d := definitionOf(name)
		f = &figure{Name: name, What: d.what, Unit: d.unit, Group: r.group}
		if isReference(name) {
			f.Group = ""
		}
		r.Figures = append(r.Figures, f)
	}
	r.taken++
	f.Samples, f.order = append(f.Samples, value), append(f.order, r.taken)
}

// addAnswers adds to what the requests of a figure were answered. The figure has a sample.
func (r *results) addAnswers(name string, answers map[string]int) {
	f := r.figure(name)
	if f.Answers == nil {
		f.Answers = map[string]int{}
	}
	for word, n := range answers {
		f.Answers[word] += n
	}
}

// fail keeps what broke.
func (r *results) fail(format string, args ...any) {
	failure := fmt.Sprintf(format, args...)
	progress("FAILED: %s", failure)
	r.Failures = append(r.Failures, failure)
}

// figure returns a figure that has samples, or nil.
func (r *results) figure(name string) *figure {
	i := slices.IndexFunc(r.Figures, func(f *figure) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return r.Figures[i]
}

// finish works the ratios and goals out, when the last sample is there, and sorts the figures as the definitions are.
func (r *results) finish() {
	for _, f := range r.Figures {
		f.spread = spreadOf(f.Samples)
	}
	var sorted []*figure
	for _, d := range definitions {
		for _, suffix := range []string{"", "@baseline"} {
			f := r.figure(d.name + suffix)
			if f == nil {
				continue
			}
			sorted = append(sorted, f)
			if d.reference != "" {
				f.Reference, f.Ratio = d.reference, f.over(r.figure(d.reference))
			}
			if suffix == "" {
				f.OfBaseline = f.over(r.figure(d.name + "@baseline"))
				f.Goal, f.Reached = d.goal.words(d), d.goal.reached(f)
			}
		}
	}
	r.Figures = sorted
}

// write writes the results as JSON and as a report, both named after the version.
func (r *results) write(folder string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encode the results: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for everyone to read
		return fmt.Errorf("make the folder for results: %w", err)
	}
	files := map[string][]byte{r.Version + ".json": append(text, '\n'), r.Version + ".md": []byte(r.markdown())}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(folder, name), files[name], 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("write the results: %w", err)
		}
	}
	return nil
}

// readResults reads the results of a version in a folder; nil where there are none.
func readResults(folder, version string) (*results, error) {
	text, err := os.ReadFile(filepath.Join(folder, version+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stored results: %w", err)
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read the stored results: %w", err)
	}
	return &r, nil
}
