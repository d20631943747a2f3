package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// markdown is the report of a run.
func (r *results) markdown() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	m := r.Machine
	say("# Bench, %s version", r.Version)
	say("Ratios are what counts: everything else is as fast as this machine and what else ran on it.\n")
	for _, g := range r.Groups {
		say("- %s: measured on %s at revision %s, in %.0f s.", headings[g.Name], g.Date.Format("2006-01-02"), g.Revision, g.Seconds)
	}
	say("- Machine: %d cores, %s, %d GiB, Linux %s, %d open files a process; load generator, programs and servers share it.",
		m.Cores, m.CPU, (m.Memory+512)>>10, m.Kernel, m.Files)
	say("- Load of the machine in the minute before: %s, at the end: %s. Much more before than 1 means that others ran, too.", m.LoadBefore, m.LoadAfter)
	say("- Versions: %s, Redis %s (appendonly %s, appendfsync %s), MySQL %s (innodb_flush_log_at_trx_commit=%s, buffer pool %d MiB), wrk %s.",
		m.Go, m.Redis.Version, m.Redis.AOF, m.Redis.Fsync, m.MySQL.Version, m.MySQL.Flush, m.MySQL.BufferPool>>20, m.Wrk)
	say("- Settings are the defaults, but for %s: all requests come from one address.", strings.Join(r.Settings, ", "))
	if r.Baseline != "" {
		say("- Beside it, in turns and on servers of its own: an earlier build, %s.", r.Baseline)
	}
	say("- %s", strings.Join(r.Scale, "\n- "))
	say("- %s", coresNote(m.Cores))
	say("- Each figure is the median of its samples, with (least to greatest). A ratio is to the mean of the reference just before and just after.")
	r.sayReferences(say)
	r.sayFigures(say)
	r.sayAnswers(say)
	r.sayChecks(say)
	return b.String()
}

// coresNote says what the machine is too small for.
func coresNote(cores int) string {
	if cores < 4 {
		return fmt.Sprintf("Two APIs and two workers against one of each are not measured: that says something on 4 cores or more, and here are %d.", cores)
	}
	return "Two APIs and two workers are measured against one of each, too."
}

func (r *results) sayReferences(say func(string, ...any)) {
	say("\n## References\n\n| | per second | first | last | drift |\n|---|---|---|---|---|")
	for _, f := range r.Figures {
		if !isReference(f.Name) {
			continue
		}
		first, last := f.Samples[0], f.Samples[len(f.Samples)-1]
		say("| %s | %v | %s | %s | %+.0f %% |", f.What, f.spread, number(first), number(last), 100*(last/first-1))
	}
}

func isReference(name string) bool {
	return strings.HasPrefix(name, "floor/") || strings.HasPrefix(name, "lock/")
}

// headings are those of groups of figures, by the first part of their names.
var headings = map[string]string{"reading": "Reading", "booking": "Booking", "cpu": "CPU time", "memory": "Memory", "burst": "Everybody at once", "bursts": "Everybody at once",
	"mix": "Four endpoints", "mine": "My reservations", "growth": "Growth", "processes": "More processes"}

func (r *results) sayFigures(say func(string, ...any)) {
	last := ""
	for _, f := range r.Figures {
		part, _, _ := strings.Cut(f.Name, "/")
		if isReference(f.Name) || strings.Contains(f.Name, "@") {
			continue
		}
		if part != last {
			say("\n## %s\n\n| | | ratio | of the earlier build | goal | |\n|---|---|---|---|---|---|", headings[part])
			last = part
		}
		ratio, baseline := "", ""
		if f.Ratio != nil {
			ratio = fmt.Sprintf("%v of %s", f.Ratio, f.Reference)
		}
		if f.OfBaseline != nil {
			baseline = f.OfBaseline.String()
		}
		verdict := ""
		if f.Reached != nil && *f.Reached {
			verdict = "reached"
		} else if f.Reached != nil {
			verdict = "**missed**"
		}
		say("| %s | %v %s | %s | %s | %s | %s |", f.What, f.spread, f.Unit, ratio, baseline, f.Goal, verdict)
	}
}

func (r *results) sayAnswers(say func(string, ...any)) {
	say("\n## Answers\n")
	for _, f := range r.Figures {
		if len(f.Answers) == 0 {
			continue
		}
		var parts []string
		for _, word := range slices.Sorted(maps.Keys(f.Answers)) {
			parts = append(parts, fmt.Sprintf("%d x %s", f.Answers[word], word))
		}
		_, build, _ := strings.Cut(f.Name, "@")
		say("- %s: %s", strings.TrimSpace(strings.TrimSuffix(f.What, ": mean")+" "+build), strings.Join(parts, ", "))
	}
}

func (r *results) sayChecks(say func(string, ...any)) {
	say("\n## Invariants\n")
	say("After each run everything accepted was recorded, then counted; where shows were compared, `neticket stock check` held every row and marker against each other.\n")
	say("| after | accepted | end unknown | rows | units | shows compared | |\n|---|---|---|---|---|---|---|")
	for _, c := range r.Checks {
		verdict, compared := "all hold", "-"
		if c.Audited {
			compared = fmt.Sprint(c.Shows)
		}
		if c.Broken != "" {
			verdict = "**" + c.Broken + "**"
		}
		say("| %s | %d | %d | %d | %d | %s | %s |", strings.TrimSpace(c.After+" "+c.Build), c.Accepted, c.Unknown, c.Rows, c.Units, compared, verdict)
	}
	if len(r.Failures) > 0 {
		say("\n**FAILED**: %s", strings.Join(r.Failures, "; "))
	}
}
