package rush

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/neticket/neticket/internal/stream"
)

const (
	killerLooks = 2 * time.Millisecond
	// aliveWithin is how recently a worker has shown up; each does every second.
	aliveWithin = 5 * time.Second
)

// Killed is a worker process that was killed.
type Killed struct {
	PID       int    `json:"pid"`
	Name      string `json:"name"`     // as a consumer of the streams
	After     Millis `json:"after_ms"` // the first buyer was due
	Held      int64  `json:"held"`     // entries that it had read and not settled
	TakenOver bool   `json:"taken_over"`
}

// killer kills one worker of the system, on this machine.
type killer struct {
	monitor *stream.Monitor
	victim  *Killed // nil: nobody was killed
}

// errNoWorker says that nobody reads the streams, or that there are no streams yet: the first booking makes them.
var errNoWorker = errors.New("no worker of this system is running")

// check says whether there is a worker to kill, as far as can be known: before anything was ever sold, nothing can.
func (k *killer) check(ctx context.Context) error {
	queue, err := k.monitor.Look(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(queue.Shards, func(d stream.Depth) bool { return !d.Missing }) {
		return nil
	}
	_, _, err = k.find(ctx)
	return err
}

// find returns a worker that is alive, with its process, the one with the most in hand. Its error says why there is none.
func (k *killer) find(ctx context.Context) (stream.Worker, *os.Process, error) {
	queue, err := k.monitor.Look(ctx)
	if err != nil {
		return stream.Worker{}, nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return stream.Worker{}, nil, fmt.Errorf("find the worker: %w", err)
	}
	var best stream.Worker
	var process *os.Process
	var others []string
	for _, w := range queue.Workers {
		if w.Idle > aliveWithin {
			continue
		}
		p, err := processOf(w.Name, host)
		switch {
		case err != nil:
			others = append(others, err.Error())
		case process == nil || w.InHand > best.InHand:
			best, process = w, p
		}
	}
	switch {
	case process != nil:
		return best, process, nil
	case len(others) == 0:
		return stream.Worker{}, nil, errNoWorker
	}
	return stream.Worker{}, nil, fmt.Errorf("no worker of this system can be killed from here: %s", strings.Join(others, "; "))
}

// processOf returns the process of a worker that is named as system.Build names it: worker-<host>-<pid>-<random>. It has to be on
// this machine, and to run the program "worker": a process that got the number of a dead one is left alone.
func processOf(name, host string) (*os.Process, error) {
	part := regexp.MustCompile(`^worker-(.+)-([1-9][0-9]*)-[a-z0-9]{8}$`).FindStringSubmatch(name)
	switch {
	case part == nil:
		return nil, fmt.Errorf("%s is not named as workers are", name)
	case part[1] != host:
		return nil, fmt.Errorf("%s runs on another host, %s", name, part[1])
	}
	pid, err := strconv.Atoi(part[2])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	process, err := os.FindProcess(pid) // from here on the process is meant, whatever becomes of its number (pidfd)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	program, err := os.Readlink("/proc/" + part[2] + "/exe")
	if err != nil {
		return nil, fmt.Errorf("%s: this user cannot see which program process %d runs (that needs Linux): %w", name, pid, err)
	}
	if program = filepath.Base(strings.TrimSuffix(program, " (deleted)")); program != "worker" {
		return nil, fmt.Errorf("%s: process %d runs %s", name, pid, program)
	}
	return process, nil
}

// strike kills a worker once it is time, as soon as one has entries in hand, and at the latest when the rush is over.
func (k *killer) strike(ctx context.Context, began time.Time, over <-chan struct{}, ripe func() bool) error {
	tick := time.NewTicker(killerLooks)
	defer tick.Stop()
	var giveUp time.Time // zero: the rush is not over
	for {
		last := !giveUp.IsZero()
		if last || ripe() {
			worker, process, err := k.find(ctx)
			switch {
			case errors.Is(err, errNoWorker) && (!last || time.Now().Before(giveUp)): // it reads new streams in a moment
			case err != nil:
				return fmt.Errorf("kill a worker: %w", err)
			case worker.InHand > 0 || last:
				switch held, err := k.hold(ctx, worker.Name, process); {
				case err != nil:
					return err
				case held > 0 || last:
					return k.kill(worker.Name, process, held, began)
				}
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			giveUp, over = time.Now().Add(aliveWithin), nil
		case <-tick.C:
		}
	}
}

// hold stops a worker where it stands, and returns how many entries it has in hand. One that has none goes on: it is to die in
// the middle of something.
func (k *killer) hold(ctx context.Context, name string, process *os.Process) (held int64, err error) {
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		return 0, fmt.Errorf("stop worker %d: %w", process.Pid, err)
	}
	worker, err := k.look(ctx, name)
	if err != nil || worker.InHand == 0 {
		err = errors.Join(err, process.Signal(syscall.SIGCONT))
	}
	return worker.InHand, err
}

func (k *killer) kill(name string, process *os.Process, held int64, began time.Time) error {
	if err := process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill worker %d: %w", process.Pid, err)
	}
	k.victim = &Killed{PID: process.Pid, Name: name, After: Millis(time.Since(began)), Held: held}
	return nil
}

// settle notes whether the dead worker's entries are taken over.
func (k *killer) settle(ctx context.Context) error {
	if k.victim == nil {
		return nil
	}
	worker, err := k.look(ctx, k.victim.Name)
	k.victim.TakenOver = err == nil && worker.InHand == 0
	return err
}

// look returns what is known of a worker; nothing, where its consumer was deleted, once its entries were elsewhere.
func (k *killer) look(ctx context.Context, name string) (stream.Worker, error) {
	queue, err := k.monitor.Look(ctx)
	if err != nil {
		return stream.Worker{}, err
	}
	for _, w := range queue.Workers {
		if w.Name == name {
			return w, nil
		}
	}
	return stream.Worker{}, nil
}
