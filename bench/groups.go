package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// bench is a run under way.
type bench struct {
	options
	*yardstick
	results *results
}

// group is figures that are measured together.
type group struct {
	name    string
	measure func(*bench, context.Context) error
}

// groups are what is measured, in this order.
var groups = []group{
	{"reading", (*bench).measureReading},
	{"booking", (*bench).measureBooking},
	{"bursts", (*bench).measureBursts},
	{"mix", (*bench).measureMix},
	{"growth", (*bench).measureGrowth},
	{"processes", (*bench).measureProcesses},
}

func groupNames() (names []string) {
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// run measures the groups that are asked for, writes what it found, and returns an error if something broke.
func run(ctx context.Context, o options) (err error) {
	b := &bench{options: o, results: &results{Version: o.name, Date: time.Now().UTC(), Revision: revision(ctx), Settings: limits,
		Scale: o.words(), Checks: []check{}, Failures: []string{}}}
	if b.results.Machine, err = readMachine(); err != nil {
		return err
	}
	if b.results.Machine.Files, err = raiseFileLimit(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, o.limit, errLate)
	defer cancel()
	err = b.withBaseline(limited, func() error { return b.measure(limited) })
	if errors.Is(context.Cause(limited), errLate) { // what was measured until then is kept
		b.results.fail("%v: the machine is too slow, or others use it", errLate)
	} else if err != nil {
		return err
	}
	if b.results.Machine.LoadAfter, err = readLoad(); err != nil {
		return err
	}
	b.results.finish()
	return b.publish()
}

var errLate = errors.New("the bench took longer than it may")

// another says whether a group that began at a time may have one more run of so many that took so long: the first it may, and others while
// its share of the time lasts. A slow machine gives fewer samples, not a bench that never ends.
func (b *bench) another(run int, began time.Time, group string) bool {
	passed := time.Since(began)
	if run == 0 || passed+passed/time.Duration(run) < b.shares[group] {
		return true
	}
	progress("no time for more runs of %s than %d", group, run)
	return false
}

// measure measures the groups, with all references at the start, between groups and at the end.
func (b *bench) measure(ctx context.Context) (err error) {
	dir, err := tempFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	load, err := newWrk(dir)
	if err != nil {
		return err
	}
	if b.results.Machine.Wrk, err = load.version(ctx); err != nil {
		return err
	}
	if b.yardstick, err = newYardstick(ctx, load, b.reference, b.results); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.takeAll(ctx); err != nil {
		return err
	}
	if err := b.each(ctx, groups); err != nil {
		return err
	}
	return b.takeAll(ctx)
}

// each measures the groups that are asked for. One that fails is named in the results, and the others are measured all the same.
func (b *bench) each(ctx context.Context, groups []group) error {
	for _, g := range groups {
		if !slices.Contains(b.only, g.name) {
			continue
		}
		progress("== %s", g.name)
		b.results.begin(g.name)
		err := g.measure(b, ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("measure %s: %w", g.name, context.Cause(ctx))
		}
		if err != nil {
			b.results.fail("measure %s: %v", g.name, err)
			continue
		}
		b.results.end()
	}
	return nil
}

func (b *bench) takeAll(ctx context.Context) error {
	return b.take(ctx, floor8, floor64, floor1000, lock64)
}

// withSystem calls a function with servers and programs of a build, with customers and shows on sale, and ends them after it.
func (b *bench) withSystem(ctx context.Context, bin, build string, shows int, use func(*system) error) (err error) {
	s, err := newSystem(ctx, build, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.prepare(ctx, b.users, shows); err != nil {
		return err
	}
	if b.results.Machine.Redis.Version == "" {
		if err := b.results.Machine.readServers(ctx, s); err != nil {
			return err
		}
	}
	return use(s)
}

// publish prints the report, keeps the results, compares them with those stored, and returns an error if something broke.
func (b *bench) publish() error {
	fmt.Print(b.results.markdown())
	if err := b.results.write(b.out); err != nil {
		return err
	}
	stored, err := readResults(b.stored, b.results.Version)
	if err != nil {
		return err
	}
	if b.compare {
		fmt.Print(comparison(stored, b.results))
	}
	if len(b.results.Failures) > 0 {
		return fmt.Errorf("%d things broke; the first: %s", len(b.results.Failures), b.results.Failures[0])
	}
	if !b.store {
		progress("the results are in %s; -store keeps them in %s", b.out, b.stored)
		return nil
	}
	b.results.keep(stored)
	if err := b.results.write(b.stored); err != nil {
		return err
	}
	if len(b.results.Groups) < len(groups) {
		progress("docs/capacity.md is not written yet: not all groups are stored")
		return nil
	}
	return writeCapacity(b.stored, capacityFolder)
}
