package main

import (
	"fmt"
	"strings"
)

// tolerance is how much worse a median may be before it counts, where the samples lie close together.
const tolerance = 0.10

// change is a figure that got worse.
type change struct {
	figure      *figure
	before, now spread
	by          float64 // 0.5: half as fast, or half as long again
	ratio       bool    // to the reference
}

// slower returns the figures that got worse than stored by more than their spread allows: the two ranges of samples do not meet, and
// the medians differ by more than the tolerance. Speeds are compared by their ratios, as machines differ.
func slower(stored, now *results) (worse []change) {
	for _, f := range now.Figures {
		old, d := stored.figure(f.Name), definitionOf(f.Name)
		if old == nil || d.neutral() || strings.Contains(f.Name, "@") || strings.HasPrefix(f.Name, "floor/") || strings.HasPrefix(f.Name, "lock/") {
			continue
		}
		c := change{figure: f, before: old.spread, now: f.spread}
		if d.reference != "" && old.Ratio != nil && f.Ratio != nil {
			c.before, c.now, c.ratio = *old.Ratio, *f.Ratio, true
		}
		if c.worsened(d.lower()) {
			worse = append(worse, c)
		}
	}
	return worse
}

func (c *change) worsened(lower bool) bool {
	if c.before.Median == 0 {
		return lower && c.now.Least > 0
	}
	if lower {
		c.by = c.now.Median/c.before.Median - 1
		return c.now.Least > c.before.Most && c.by > tolerance
	}
	c.by = 1 - c.now.Median/c.before.Median
	return c.now.Most < c.before.Least && c.by > tolerance
}

// comparison says in words what got slower.
func comparison(stored, now *results) string {
	if stored == nil {
		return fmt.Sprintf("\nThere are no stored results of the %s version to compare with.\n", now.Version)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Compared with the stored results of %s (%s)\n\n", stored.Date.Format("2006-01-02"), stored.Revision)
	worse := slower(stored, now)
	if len(worse) == 0 {
		b.WriteString("Nothing got slower by more than its spread.\n")
		return b.String()
	}
	for _, c := range worse {
		unit := c.figure.Unit
		if c.ratio {
			unit = "of " + definitionOf(c.figure.Name).reference
		}
		fmt.Fprintf(&b, "- `%s`, %s: %v -> %v %s, worse by %.0f %%\n", c.figure.Name, c.figure.What, c.before, c.now, unit, 100*c.by)
	}
	return b.String()
}
