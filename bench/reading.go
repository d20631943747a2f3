package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// measureReading measures list, search, detail and pages over a large catalogue.
func (b *bench) measureReading(ctx context.Context) (err error) {
	s, err := newSystem(ctx, "", b.programs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	words := newVocabulary()
	if err := b.fillCatalogue(ctx, s, words); err != nil {
		return err
	}
	if err := b.startReading(ctx, s); err != nil {
		return err
	}
	if b.results.Machine.Redis.Version == "" {
		if err := b.results.Machine.readServers(ctx, s); err != nil {
			return err
		}
	}
	targets, err := readingTargets(ctx, s.api.url, words)
	if err != nil {
		return err
	}
	if err := b.read(ctx, s, targets); err != nil {
		return err
	}
	used, err := readMemory(s.api.PID())
	if err != nil {
		return err
	}
	b.results.add("reading/memory", float64(used.most))
	return b.audit(ctx, s, "reading")
}

// fillCatalogue imports the catalogue, as an operator would.
func (b *bench) fillCatalogue(ctx context.Context, s *system, words vocabulary) error {
	progress("importing %d shows", b.shows)
	path := filepath.Join(s.dir, "shows.jsonl")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	defer os.Remove(path)
	lines := bufio.NewWriter(file)
	err = writeCatalogue(lines, words, b.shows, b.results.Date)
	if err = errors.Join(err, lines.Flush(), file.Close()); err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	began := time.Now()
	_, err = s.neticket(ctx, "shows", "import", path)
	b.results.add("reading/import", time.Since(began).Seconds())
	return err
}

// startReading starts the programs, and waits until the API can list all shows.
func (b *bench) startReading(ctx context.Context, s *system) (err error) {
	progress("starting worker, flusher and API")
	if s.worker, err = s.run(ctx, "worker"); err != nil {
		return err
	}
	if s.flusher, err = s.run(ctx, "flusher"); err != nil {
		return err
	}
	began := time.Now()
	if s.api, err = s.run(ctx, "api"); err != nil {
		return err
	}
	probe := newProber(s.api.url)
	err = eventually(ctx, func(ctx context.Context) error { _, err := probe.ask(ctx, "/api/v1/shows"); return err })
	if err != nil {
		return fmt.Errorf("wait for the list: %w", err)
	}
	b.results.add("reading/start", time.Since(began).Seconds())
	return nil
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
	return append([]target{probe.detail(shows), list, search}, pages...), nil
}

// read warms each target up, then lets them take turns with the floor.
func (b *bench) read(ctx context.Context, s *system, targets []target) error {
	for _, t := range targets {
		if _, err := b.wrk.send(ctx, t, b.warmUp); err != nil {
			return err
		}
	}
	began := time.Now()
	for run := 0; run < b.runs && b.another(run, began, "reading"); run++ {
		if err := b.take(ctx, floor8, floor64); err != nil {
			return err
		}
		for _, t := range targets {
			before, err := cpuTime(s.api.PID())
			if err != nil {
				return err
			}
			f, err := b.wrk.send(ctx, t, b.reading)
			if err != nil {
				return err
			}
			after, err := cpuTime(s.api.PID())
			if err != nil {
				return err
			}
			progress("%s: %.0f/s, p99 %.2f ms", t.name, f.perSecond(), float64(f.P99)/1e3)
			b.results.add(t.name, f.perSecond())
			switch t.name {
			case "reading/search":
				b.results.add("reading/search/p99", float64(f.P99)/1e3)
			case "reading/detail", "reading/show-page":
				b.results.add("cpu/api/"+t.name[len("reading/"):], (after-before).Seconds()*1000/float64(f.Requests))
			}
			if f.failed() > 0 {
				b.results.fail("%d requests of %s failed", f.failed(), t.name)
			}
		}
	}
	return b.take(ctx, floor8, floor64)
}
