package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/neticket/neticket/internal/rush"
)

// rushWidth is how many columns the report of a rush has: a terminal's 80, less one that some of them need.
const rushWidth = 79

// printRush prints the report for people.
func (t tool) printRush(r rush.Report) error {
	var text strings.Builder
	n := rush.Thousands
	say := func(format string, args ...any) { writeWrapped(&text, "", fmt.Sprintf(format, args...)) }
	within := "at once"
	if r.Over > 0 {
		within = "within " + time.Duration(r.Over).String()
	}
	say("%s buyers %s for %s tickets of show %d, on %s connections", n(r.Buyers), within, n(r.Capacity), r.Show, n(r.Connections))
	fmt.Fprintln(&text)

	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { _, _ = fmt.Fprintln(table, strings.Join(cells, "\t")+"\t") } // into a builder
	row("", "first answer", "last answer")
	for _, word := range answerWords(r) {
		row(answerName(word), orDash(r.First[word]), orDash(r.Last[word]))
	}
	_ = table.Flush()
	fmt.Fprintln(&text)
	row("", "mean", "p50", "p99", "max")
	latency := func(name string, l rush.Latency) { row(name, span(l.Mean), span(l.P50), span(l.P99), span(l.Max)) }
	latency("until the first answer", r.FirstLatency)
	latency("until the last answer", r.LastLatency)
	_ = table.Flush()

	fmt.Fprintln(&text)
	if r.RecordedAfter > 0 {
		say("Recorded: %s rows, the last one %s after the first buyer was due.", n(r.Recorded), span(r.RecordedAfter))
	} else {
		say("Recorded: %s rows, and nothing more within 30 s. Is a worker running?", n(r.Recorded))
	}
	if r.GaveUp > 0 {
		say("Gave up: %s buyers were turned away for 60 s; %s tickets are left.", n(r.GaveUp), n(r.Left))
	}
	if r.Dropped > 0 {
		say("Lost replies: %s on purpose. %s buyers came again and had their ticket already.", n(r.Dropped), n(r.Found))
	}
	if k := r.Killed; k != nil {
		say("Killed: worker %d, %s after the first buyer was due, with %s entries in hand; %s.", k.PID, span(k.After), n(int(k.Held)), fate(*k))
	}
	fmt.Fprintln(&text)
	for _, check := range r.Checks {
		name := ""
		if strings.HasPrefix(check.Name, "I") {
			name = check.Name + ": "
		}
		verdict := "ok"
		if !check.Holds {
			verdict = "BROKEN"
		}
		writeWrapped(&text, fmt.Sprintf("%-6s  ", verdict), name+check.Detail)
	}
	fmt.Fprintln(&text)
	if r.Others > 0 {
		say("Other shows have %s faults, which are not this rush's: neticket stock check.", n(r.Others))
	}
	if r.Holds {
		say("All invariants hold. The sale of show %d is closed.", r.Show)
	} else {
		say("BROKEN. The sale of show %d is closed; neticket stock check says more.", r.Show)
	}
	_, err := io.WriteString(t.out, text.String())
	return err
}

// answerWords returns the answers that there were: statuses first, what went wrong without one last.
func answerWords(r rush.Report) []string {
	words := slices.AppendSeq(slices.Collect(maps.Keys(r.First)), maps.Keys(r.Last))
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(a, b) })
	return slices.Compact(words)
}

// answerName says what an answer means, where that is not plain.
func answerName(word string) string {
	switch word {
	case "202", "201":
		return word + " booked"
	case "200":
		return word + " booked already"
	}
	return strings.ReplaceAll(word, "_", " ")
}

func fate(k rush.Killed) string {
	switch {
	case k.Held == 0:
		return "other workers read on"
	case k.TakenOver:
		return "another worker took them over"
	}
	return "NOBODY has taken them over"
}

// span writes a duration with three digits.
func span(m rush.Millis) string {
	switch d := time.Duration(m); {
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return rush.Thousands(n)
}

// writeWrapped writes words after a head, in lines of rushWidth at most; a word that is longer stays whole.
func writeWrapped(to io.Writer, head, words string) {
	line, indent := head, strings.Repeat(" ", len(head))
	for i, word := range strings.Fields(words) {
		switch {
		case i > 0 && len(line)+1+len(word) > rushWidth:
			_, _ = fmt.Fprintln(to, line) // into a builder
			line = indent + word
		case i > 0:
			line += " " + word
		default:
			line += word
		}
	}
	_, _ = fmt.Fprintln(to, line)
}
