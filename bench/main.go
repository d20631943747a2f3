// Command bench measures the whole system on this machine, against something that is measured in the same run, because machines
// differ: `make bench`. It starts a redis-server and a mariadbd of its own, runs the real programs with the settings of production,
// and writes what it found to standard output and to bench/results. Its exit status is 1 when a request failed, an invariant is
// broken or a goal is missed.
//
// What there is so far is reading: list and search of 100,000 shows, detail of the popular ones, the pages of home, a show and a
// booking. The files:
//
//	reading.go    what is measured, in which order
//	catalogue.go  the shows
//	targets.go    what is asked for in JSON; pages.go in HTML
//	floor.go      what it is compared to
//	rig.go        servers and programs
//	wrk.go        the load generator, with requests.lua
//	machine.go    what it ran on; store.go what MySQL says about itself
//	report.go     the figures
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options are what a run may be told. The defaults are those of the results that are kept.
type options struct {
	shows       int
	connections int
	runs        int
	length      time.Duration // of a run
	warmUp      time.Duration // of each target
	programs    string        // folder of api, worker, flusher and neticket
	results     string        // folder of the report
	before      string        // folder of the api of another build, to compare with; empty: none
	profiles    string        // folder for profiles; empty: none are taken
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "floor" {
		os.Exit(tell(serveFloor(os.Args[2])))
	}
	var o options
	flag.IntVar(&o.shows, "shows", 100_000, "shows in the catalogue")
	flag.IntVar(&o.connections, "connections", 8, "connections that send requests")
	flag.IntVar(&o.runs, "runs", 3, "runs of each target; the report has their median")
	flag.DurationVar(&o.length, "length", 10*time.Second, "length of a run")
	flag.DurationVar(&o.warmUp, "warmup", 3*time.Second, "length of the warm-up of each target")
	flag.StringVar(&o.programs, "programs", "bin", "folder of api, worker, flusher and neticket")
	flag.StringVar(&o.results, "results", "bench/results", "folder of the report")
	flag.StringVar(&o.before, "before", "", "folder of the api of another build, which is measured in the same run")
	flag.StringVar(&o.profiles, "profiles", "", "folder for CPU profiles of the API, one more run of each target")
	flag.Parse()
	if flag.NArg() > 0 || o.shows < 1 || o.connections < 1 || o.runs < 1 || o.length < time.Second || o.warmUp < time.Second {
		flag.Usage()
		os.Exit(2)
	}
	// On a signal what runs is stopped, and nothing is left behind; a second one ends it at once, and nothing is left then either.
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	os.Exit(tell(run(ctx, o)))
}

func tell(err error) (status int) {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	return 1
}

func run(ctx context.Context, o options) error {
	report, err := measureReading(ctx, o)
	if err != nil {
		return err
	}
	text := report.markdown()
	fmt.Print(text)
	if err := os.MkdirAll(o.results, 0o755); err != nil { //nolint:gosec // it is for everyone to read
		return fmt.Errorf("make the folder for results: %w", err)
	}
	if err := os.WriteFile(filepath.Join(o.results, "reading.md"), []byte(text), 0o644); err != nil { //nolint:gosec // as above
		return fmt.Errorf("write the report: %w", err)
	}
	return report.verdict()
}
