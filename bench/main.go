// Command bench measures the whole system on this machine: `make bench` in under 5 minutes, `make bench-full` in under 25. It
// starts redis-server and mariadbd of its own, runs the real programs with the settings of production, and compares every speed
// with two references measured in the same run, because machines differ. The exit status is 1 when an invariant broke, a booking
// was lost, or something could not be measured. A missed goal is reported and does not change the exit status.
//
// What is measured, a group at a time (groups.go lists them):
//
//	reading.go   list, search, detail and pages, with targets.go, pages.go and catalogue.go
//	booking.go   accepted and confirmed, closed loop; level.go with a level backlog; latency.go accepted to committed
//	bursts.go    everybody at once
//	mix.go       2,000 users on four endpoints, and someone with many reservations
//	growth.go    more shows, more rows; processes.go more APIs and workers
//
// What it is measured with and against:
//
//	system.go    servers and programs of one build; program.go one process; stage.go sales, customers and backlog
//	references.go  floor.go and lock.go, what all speeds are compared with; baseline.go an earlier build
//	wrk.go       the closed-loop client, with requests.lua; internal/loadgen is the open-loop one
//	machine.go   hardware and versions; cpu.go time and memory of processes; prometheus.go metrics; store.go all SQL
//
// What becomes of it:
//
//	definitions.go  every figure there is, with its unit, its reference and its goal
//	figure.go    samples and ratios; results.go the file; report.go the text; compare.go against the stored results
//	invariants.go   what must hold after each run; capacity.go docs/capacity.md
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what a person may ask for.
type options struct {
	scale
	only     []string // groups
	programs string   // folder of api, worker, flusher and neticket
	baseline string   // git revision to measure beside; empty: none
	earlier  string   // folder of an earlier build's programs, to measure beside
	stored   string   // folder of the results that are kept
	out      string   // folder of this run's results
	store    bool     // keep this run's results
	compare  bool     // with those kept
	profile  bool
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "-write-capacity" { // after an edit of its text
		os.Exit(status(writeCapacity("bench/results", capacityFolder)))
	}
	if len(os.Args) > 1 {
		if serve := references[os.Args[1]]; serve != nil {
			os.Exit(status(serve(os.Args[2:])))
		}
	}
	o, err := parseOptions(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	// On a signal everything that runs is stopped and nothing is left behind; a second signal ends the bench at once, and its
	// processes with it.
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	os.Exit(status(run(ctx, o)))
}

func parseOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	everything := flags.Bool("full", false, "measure everything, for up to 25 minutes; else the short version, under 5")
	only := flags.String("only", strings.Join(groupNames(), ","), "groups to measure, separated by commas")
	flags.StringVar(&o.programs, "programs", "bin", "folder of api, worker, flusher and neticket")
	flags.StringVar(&o.baseline, "baseline", "", "git revision whose build is measured in turns with this one")
	flags.StringVar(&o.earlier, "baseline-programs", "", "the same, of a folder of programs that are built already")
	flags.StringVar(&o.stored, "stored", "bench/results", "folder of the stored results")
	flags.StringVar(&o.out, "out", "var/bench", "folder for the results of this run")
	flags.BoolVar(&o.store, "store", false, "keep the results of this run as the stored ones; with -only, the others stay")
	flags.BoolVar(&o.compare, "compare", true, "list what got slower than in the stored results")
	flags.BoolVar(&o.profile, "profile", false, "take CPU profiles of API and worker while they book")
	_ = flags.Parse(args) // it exits on an error
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood: there are only flags", flags.Arg(0))
	}
	if o.baseline != "" && o.earlier != "" {
		return o, fmt.Errorf("-baseline and -baseline-programs exclude each other")
	}
	for name := range strings.SplitSeq(*only, ",") {
		if !slices.Contains(groupNames(), name) {
			return o, fmt.Errorf("-only: there is no group %q; there are %s", name, strings.Join(groupNames(), ", "))
		}
		o.only = append(o.only, name)
	}
	if o.scale = short; *everything {
		o.scale = full
	}
	return o, nil
}

// status reports an error and returns the exit status.
func status(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	return 1
}

// progress is for a person who waits.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%7.1f s  "+format+"\n", append([]any{time.Since(started).Seconds()}, args...)...)
}

var started = time.Now()
