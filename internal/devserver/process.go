package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"time"
)

// Process is a program that is kept running: started again when it ends, with a growing pause in between.
type Process struct {
	Name        string        // for the log
	Path        string        // of the program
	Args        []string      // without the program's name
	Env         []string      // the whole environment, as "key=value"
	Output      io.Writer     // what it prints, both streams; a file is handed to it as it is
	Log         *slog.Logger  // is told of ends and restarts
	StopTimeout time.Duration // from SIGTERM to SIGKILL
}

// The pause before a restart doubles from the first value to the last; a run as long as restartCalm begins anew.
const (
	restartFirst = 200 * time.Millisecond
	restartLast  = 5 * time.Second
	restartCalm  = 10 * time.Second
)

// Run keeps the process running until ctx is over, then stops it: SIGTERM, and SIGKILL after StopTimeout, which is
// reported as an error. A program that cannot be started at all is an error, too.
func (p *Process) Run(ctx context.Context) error {
	pause := restartFirst
	for ctx.Err() == nil {
		began := time.Now()
		c, err := p.start()
		if err != nil {
			return fmt.Errorf("run %s: %w", p.Name, err)
		}
		select {
		case <-ctx.Done():
			return p.stop(c)
		case <-c.done:
		}
		if time.Since(began) >= restartCalm {
			pause = restartFirst
		}
		p.Log.Warn("process ended, starting it again", "process", p.Name, "error", c.err, "pause", pause)
		if !sleep(ctx, pause) {
			break
		}
		pause = min(2*pause, restartLast)
	}
	return nil
}

func (p *Process) start() (*child, error) {
	cmd := exec.Command(p.Path, p.Args...) //nolint:gosec,noctx // our caller's path; it is stopped gently
	cmd.Env = p.Env
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	cmd.WaitDelay = time.Second // a grandchild may hold the output open
	c, err := spawn(cmd)
	if err != nil {
		return nil, err
	}
	p.Log.Debug("process started", "process", p.Name, "pid", c.pid())
	return c, nil
}

func (p *Process) stop(c *child) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), p.StopTimeout, errors.New(p.StopTimeout.String()+" passed"))
	defer cancel()
	if err := c.stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	return nil
}

// sleep returns false when ctx was over first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
