package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// measureReading measures list, search, detail and pages over a large catalogue.
func measureReading(ctx context.Context, o options) (r *report, err error) {
	r = &report{options: o, at: time.Now()}
	if r.machine, err = readMachine(); err != nil {
		return nil, err
	}
	if r.loadBefore, err = readLoad(); err != nil {
		return nil, err
	}
	rig, err := newRig(ctx, o.programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rig.close()) }()
	load, err := newWrk(rig.dir, o.connections)
	if err != nil {
		return nil, err
	}
	if err := rig.describe(ctx, &r.machine, load); err != nil {
		return nil, err
	}
	words := newVocabulary()
	if err := rig.fill(ctx, r, words); err != nil {
		return nil, err
	}
	api, err := rig.startAll(ctx, r)
	if err != nil {
		return nil, err
	}
	floor, err := rig.startFloor(ctx)
	if err != nil {
		return nil, err
	}
	targets, err := readingTargets(ctx, api.url, words)
	if err != nil {
		return nil, err
	}
	if o.before != "" {
		before, err := rig.startAPI(ctx, o.before)
		if err != nil {
			return nil, err
		}
		for _, t := range targets {
			t.name, t.url, t.what = t.name+", before", before.url, "the same, of the build before"
			targets = append(targets, t)
		}
	}
	targets = slices.Insert(targets, 0, target{name: "floor", url: floor.url, requests: []string{floorRequest},
		what: "an Echo handler that binds a small JSON body and answers one, no I/O"})
	if err := r.measure(ctx, load, targets); err != nil {
		return nil, err
	}
	if r.loadAfter, err = readLoad(); err != nil {
		return nil, err
	}
	if r.after, err = readMemory(api.PID()); err != nil {
		return nil, err
	}
	if r.invariants, err = rig.neticket(ctx, "stock", "check"); err != nil {
		return nil, err
	}
	return r, profileAll(ctx, o, load, api, targets)
}

// describe fills in what the servers tell.
func (r *rig) describe(ctx context.Context, m *machine, load *wrk) (err error) {
	if m.redis, err = readRedisFacts(ctx, r.redis.Addr()); err != nil {
		return err
	}
	if m.mysql, err = readMySQLFacts(ctx, r.mariadb.DSN("neticket")); err != nil {
		return err
	}
	m.wrk, err = load.version(ctx)
	return err
}

// fill imports the catalogue, as an operator would.
func (r *rig) fill(ctx context.Context, report *report, words vocabulary) error {
	progress("importing %d shows", report.options.shows)
	path := filepath.Join(r.dir, "shows.jsonl")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	defer os.Remove(path)
	lines := bufio.NewWriter(file)
	err = writeCatalogue(lines, words, report.options.shows, report.at)
	if err = errors.Join(err, lines.Flush(), file.Close()); err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	size, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	report.catalogueBytes = size.Size()
	began := time.Now()
	_, err = r.neticket(ctx, "shows", "import", path)
	report.importTook = time.Since(began)
	return err
}

// startAll starts worker, flusher and api.
func (r *rig) startAll(ctx context.Context, report *report) (api *program, err error) {
	progress("starting worker, flusher and api")
	for _, name := range []string{"worker", "flusher"} {
		if _, err := r.start(ctx, r.bin, name); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	if api, err = r.startAPI(ctx, r.bin); err != nil {
		return nil, err
	}
	report.startTook = time.Since(began)
	report.before, err = readMemory(api.PID())
	return api, err
}

// startAPI starts an api and waits until it can list all shows.
func (r *rig) startAPI(ctx context.Context, folder string) (*program, error) {
	api, err := r.start(ctx, folder, "api")
	if err != nil {
		return nil, err
	}
	probe := newProber(api.url)
	err = eventually(ctx, func(ctx context.Context) error { _, err := probe.ask(ctx, "/api/v1/shows"); return err })
	if err != nil {
		return nil, fmt.Errorf("wait for the list: %w", err)
	}
	return api, nil
}

// readingTargets returns what an API is asked for.
func readingTargets(ctx context.Context, api string, words vocabulary) ([]target, error) {
	probe := newProber(api)
	list, err := probe.list(ctx)
	if err != nil {
		return nil, err
	}
	search, err := probe.search(ctx, words)
	if err != nil {
		return nil, err
	}
	shows, err := probe.popular(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := probe.pages(ctx, shows)
	if err != nil {
		return nil, err
	}
	return append([]target{list, search, probe.detail(shows)}, pages...), nil
}

// measure warms each target up, then lets them take turns, so that whatever else the machine does hits all of them.
func (r *report) measure(ctx context.Context, load *wrk, targets []target) error {
	for _, t := range targets {
		progress("warming up: %s", t.name)
		if _, err := load.send(ctx, t, r.options.warmUp); err != nil {
			return err
		}
		r.results = append(r.results, result{target: t})
	}
	for run := range r.options.runs {
		for i, t := range targets {
			f, err := load.send(ctx, t, r.options.length)
			if err != nil {
				return err
			}
			progress("run %d of %d: %s %.0f/s, p99 %.2f ms", run+1, r.options.runs, t.name, f.perSecond(), float64(f.P99)/1e3)
			r.results[i].runs = append(r.results[i].runs, f)
		}
	}
	return nil
}

// profileAll takes a profile of the API for each target, if profiles are wanted, in runs that do not count.
func profileAll(ctx context.Context, o options, load *wrk, api *program, targets []target) error {
	if o.profiles == "" {
		return nil
	}
	if err := os.MkdirAll(o.profiles, 0o755); err != nil { //nolint:gosec // it is for everyone to read
		return fmt.Errorf("make the folder for profiles: %w", err)
	}
	for _, t := range targets {
		if t.url != api.url {
			continue
		}
		progress("profiling: %s", t.name)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { _, err := load.send(ctx, t, o.length+time.Second); return err })
		group.Go(func() error {
			return api.profile(ctx, o.length, filepath.Join(o.profiles, t.name+".pprof"))
		})
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// progress tells a person who waits.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
