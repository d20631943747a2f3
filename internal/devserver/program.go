package devserver

import (
	"context"
	"os/exec"
	"syscall"
)

// Program is one run of a program, for tests that kill it; Process is for one that is kept running.
type Program struct{ child *child }

// StartProgram starts cmd in a process group of its own. It ends when this process does. It changes cmd.
func StartProgram(cmd *exec.Cmd) (*Program, error) {
	c, err := spawn(cmd)
	if err != nil {
		return nil, err
	}
	return &Program{c}, nil
}

// PID is its process id.
func (p *Program) PID() int { return p.child.pid() }

// Kill ends it with SIGKILL and waits until it is gone. One that has ended is no error.
func (p *Program) Kill() error { return p.child.kill() }

// Stop asks it to end with SIGTERM and waits for it; it is killed when ctx is over. The error is how it ended: nil, or, where
// its status was not 0, an *exec.ExitError.
func (p *Program) Stop(ctx context.Context) error {
	if err := p.child.stop(ctx); err != nil {
		return err
	}
	return p.child.err
}

// Signal sends it a signal, such as SIGSTOP.
func (p *Program) Signal(sig syscall.Signal) error { return p.child.signal(sig) }

// Wait returns when the program has ended by itself, with how it ended, or with the cause of ctx when that is over first.
func (p *Program) Wait(ctx context.Context) error {
	select {
	case <-p.child.done:
		return p.child.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
