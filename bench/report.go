package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// searchGoal is the 99th percentile that a search may have.
const searchGoal = 20 * time.Millisecond

// report is what a bench of reading found.
type report struct {
	options options
	at      time.Time
	machine machine

	loadBefore, loadAfter string

	catalogueBytes int64
	importTook     time.Duration
	startTook      time.Duration // of the API, until it could list all shows
	before, after  memory        // of the API, around the runs
	results        []result      // the floor first
	invariants     string        // what `neticket stock check` said
}

// result is the runs of a target.
type result struct {
	target
	runs []figures
}

// spread is the median of some runs, with the least and the greatest.
type spread struct{ median, least, most float64 }

func spreadOf(runs []figures, of func(i int, f figures) float64) spread {
	values := make([]float64, len(runs))
	for i, f := range runs {
		values[i] = of(i, f)
	}
	slices.Sort(values)
	n := len(values)
	return spread{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1]}
}

func (s spread) String() string {
	return fmt.Sprintf("%s (%s to %s)", short(s.median), short(s.least), short(s.most))
}

// short writes a number with three digits that matter, or all those before the point.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func perSecond(_ int, f figures) float64 { return f.perSecond() }
func p50(_ int, f figures) float64       { return float64(f.P50) / 1e3 }
func p99(_ int, f figures) float64       { return float64(f.P99) / 1e3 }
func kiB(_ int, f figures) float64       { return float64(f.Bytes) / float64(f.Requests) / 1024 }

// ofFloor is how fast a target is, as a part of the floor in the same round.
func (r *report) ofFloor(i int, f figures) float64 {
	return f.perSecond() / r.results[0].runs[i].perSecond()
}

func (r *report) markdown() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	m, o := r.machine, r.options
	say("# Reading, with %d shows", o.shows)
	say("Made by `make bench` on %s. Ratios are what counts: the rest is as fast as this machine and what else ran on it.\n", r.at.UTC().Format("2006-01-02"))
	say("- Machine: %d cores, %s, %d GiB, Linux %s; everything on it: load generator, API, worker, flusher and both servers.", m.cores, m.cpu, (m.memory+512)>>10, m.kernel)
	say("- Processes that wanted to run, in the minute before: %s; at the end: %s. Above 5 or so others ran, too, and latencies are theirs.",
		r.loadBefore, r.loadAfter)
	say("- Versions: %s, Redis %s (appendonly %s, appendfsync %s), MySQL %s (innodb_flush_log_at_trx_commit=%s, buffer pool %d MiB), wrk %s.",
		runtime.Version(), m.redis.version, m.redis.aof, m.redis.fsync, m.mysql.version, m.mysql.flush, m.mysql.bufferPool>>20, m.wrk)
	say("- Settings are the defaults, but for %s: all requests come from one address.", strings.Join(limits, " and "))
	say("- Load: %d connections, closed loop; %d runs of %v each, taking turns, after a warm-up of %v. Medians, and (least to greatest).",
		o.connections, o.runs, o.length, o.warmUp)
	for _, t := range r.results {
		say("- %s: %s.", t.name, t.what)
	}
	say("\n| | requests/s | of floor | p50, ms | p99, ms | KiB an answer | failed |\n|---|---|---|---|---|---|---|")
	for _, t := range r.results {
		say("| %s | %v | %v | %v | %v | %s | %d |", t.name, spreadOf(t.runs, perSecond), spreadOf(t.runs, r.ofFloor),
			spreadOf(t.runs, p50), spreadOf(t.runs, p99), short(spreadOf(t.runs, kiB).median), t.failed())
	}
	say("\n| | |\n|---|---|")
	say("| search p99, goal %v | %s |", searchGoal, r.searchVerdict())
	say("| import of %d shows (%d MB of JSON lines) | %s s |", o.shows, r.catalogueBytes/1e6, short(r.importTook.Seconds()))
	say("| start of the API until it lists all shows | %s s |", short(r.startTook.Seconds()))
	say("| resident set of the API before the load, after it, at most | %d, %d, %d MiB |", r.before.now, r.after.now, r.after.most)
	say("\n`neticket stock check` after the runs:\n```\n%s\n```", strings.TrimSpace(r.invariants))
	return b.String()
}

func (t result) failed() (n int) {
	for _, f := range t.runs {
		n += f.Refused + f.Broken
	}
	return n
}

func (r *report) searchP99() time.Duration {
	i := slices.IndexFunc(r.results, func(t result) bool { return t.name == "search" })
	return time.Duration(spreadOf(r.results[i].runs, p99).median * float64(time.Millisecond))
}

func (r *report) searchVerdict() string {
	if r.searchP99() > searchGoal {
		return "missed"
	}
	return "reached"
}

// verdict returns an error where a request failed or the goal is missed.
func (r *report) verdict() error {
	for _, t := range r.results {
		if n := t.failed(); n > 0 {
			return fmt.Errorf("%d requests of %s failed", n, t.name)
		}
	}
	if p99 := r.searchP99(); p99 > searchGoal {
		return fmt.Errorf("the 99th percentile of a search is %v, above the goal of %v", p99, searchGoal)
	}
	return nil
}
