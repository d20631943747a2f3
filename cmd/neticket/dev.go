package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/ops"
)

// A stop takes devStopTimeout at most, all in all; what api, worker and flusher leave of it is the servers'.
const (
	devStopTimeout    = 14500 * time.Millisecond
	devProcessTimeout = 11 * time.Second
	devReadyTimeout   = 2 * time.Minute // as long as they themselves wait for servers
	devReadyPoll      = 100 * time.Millisecond
	devReadyTell      = 5 * time.Second
)

// dev runs the whole system on one machine: the servers, unless the environment names some, and api, worker and flusher.
type dev struct {
	dir      string    // of everything that is kept from run to run
	programs string    // folder that api, worker and flusher are in
	opsPorts []int     // wanted for api, worker and flusher
	environ  environ   // is obeyed but for NETICKET_OPS_ADDR: one address cannot be that of all three
	out      io.Writer // for the person who runs it
	logs     io.Writer // what api, worker and flusher print
	log      *slog.Logger

	// They get the environment that the processes get.
	migrate func(context.Context, environ) error
	seed    func(context.Context, environ) error
}

// runDev runs everything with its data under ./var until ctx is over or SIGINT or SIGTERM arrives, then stops all of it
// within 15 seconds and returns nil. A second signal ends it at once, and nothing is left behind then either.
func runDev(ctx context.Context, out io.Writer, migrate, seed func(context.Context, environ) error) error {
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore)
	dir, err := filepath.Abs(devDir)
	if err != nil {
		return fmt.Errorf("find the folder for data: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find api, worker and flusher: %w", err)
	}
	d := dev{
		dir: dir, programs: filepath.Dir(self), opsPorts: []int{8081, 8082, 8083}, environ: os.Environ(),
		out: out, logs: os.Stderr, log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		migrate: migrate, seed: seed,
	}
	return d.run(ctx)
}

// run returns nil when ctx ended it, also while it was still starting.
func (d *dev) run(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for data: %w", err)
	}
	unlock, err := devserver.Lock(filepath.Join(d.dir, devLock), false)
	if errors.Is(err, devserver.ErrLocked) {
		return fmt.Errorf("another `neticket dev` is running with its data in %s", d.dir)
	} else if err != nil {
		return err
	}
	defer unlock() //nolint:errcheck // it only closes a file
	err = d.runLocked(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (d *dev) runLocked(ctx context.Context) (err error) {
	processes, err := d.processes()
	if err != nil {
		return err
	}
	httpAddr, err := findHTTPAddr(ctx, cmp.Or(d.environ.get("NETICKET_HTTP_ADDR"), ":8080"))
	if err != nil {
		return err
	}
	if err := os.Remove(d.shellFile()); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is the last run's
		return fmt.Errorf("remove old settings: %w", err)
	}
	secret, err := keepTokenSecret(d.dir, d.environ)
	if err != nil {
		return err
	}
	servers, err := startDevServers(ctx, d.dir, d.environ)
	if err != nil {
		return err
	}
	var stopBy time.Time
	defer func() { err = errors.Join(err, servers.stop(stopBy)) }()

	images := cmp.Or(d.environ.get("NETICKET_IMAGES_URL"), filepath.Join(d.dir, "images"))
	settings := slices.Concat(secret, servers.settings(), []string{"NETICKET_HTTP_ADDR=" + httpAddr, "NETICKET_IMAGES_URL=" + images})
	if _, set := d.environ.Lookup(ratePerAddress); !set {
		settings = append(settings, ratePerAddress+"=0") // here all customers share the address of this machine
	}
	if err := writeShellFile(d.shellFile(), slices.Concat(d.environ.own(), settings)); err != nil {
		return err
	}
	env := d.environ.with(settings...)
	if env.get("NETICKET_LOG_FORMAT") == "" {
		env = env.with("NETICKET_LOG_FORMAT=text") // people read it
	}
	if err := d.migrate(ctx, env); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := d.seed(ctx, env); err != nil {
		return fmt.Errorf("seed: %w", err)
	}

	opsAddrs, err := findOpsAddrs(ctx, d.opsPorts, httpAddr)
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		<-ctx.Done()
		stopBy = time.Now().Add(devStopTimeout)
		return nil
	})
	servers.keep(ctx, group, d.log)
	for i, process := range processes {
		process.Env = env.with("NETICKET_OPS_ADDR=" + opsAddrs[i])
		group.Go(func() error { return process.Run(ctx) })
	}
	group.Go(func() error {
		for i, process := range processes {
			if err := d.waitReady(ctx, process.Name, opsAddrs[i]); err != nil {
				return err
			}
		}
		d.printSummary(httpAddr, opsAddrs, servers)
		return nil
	})
	return group.Wait()
}

// processes are api, worker and flusher, in the order of their default ops ports.
func (d *dev) processes() ([]*devserver.Process, error) {
	var all []*devserver.Process
	for _, name := range []string{"api", "worker", "flusher"} {
		path, err := exec.LookPath(filepath.Join(d.programs, name))
		if err != nil {
			return nil, fmt.Errorf("find %s next to this program (`make build` makes them all): %w", name, err)
		}
		all = append(all, &devserver.Process{
			Name: name, Path: path, Output: d.logs, Log: d.log, StopTimeout: devProcessTimeout,
		})
	}
	return all, nil
}

func (d *dev) waitReady(ctx context.Context, name, addr string) error {
	began := time.Now()
	told := began
	for {
		err := ops.Healthcheck(ctx, addr)
		if err == nil {
			return nil
		}
		if time.Since(began) > devReadyTimeout {
			return fmt.Errorf("wait for %s: not ready after %v: %w", name, devReadyTimeout, err)
		}
		if time.Since(told) > devReadyTell {
			told = time.Now()
			d.log.Info("waiting for "+name, "error", err)
		}
		select {
		case <-time.After(devReadyPoll):
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", name, ctx.Err())
		}
	}
}

func (d *dev) shellFile() string { return filepath.Join(d.dir, devSettings) }
