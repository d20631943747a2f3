package devserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// gate holds a new child back until the reaper knows its pid: killed in between, we close the pipe, and the child leaves
// without having become a server. exec keeps the pid.
const gate = `read -r go <&3 && exec "$@" 3<&-`

// child is one process that ends when we do.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the process was waited for
	err  error         // how it ended; valid once done is closed
}

// spawn starts cmd in a process group of its own, so that a Ctrl-C in the terminal reaches us first, and has the reaper
// watch it. It changes cmd.
func spawn(cmd *exec.Cmd) (*child, error) {
	// Asked here, because behind the gate a program that is missing would look like one that failed.
	if _, err := exec.LookPath(cmd.Path); err != nil {
		return nil, err
	}
	reaper, err := theReaper()
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open gate: %w", err)
	}
	defer read.Close()
	defer write.Close()

	cmd.Args = append([]string{"sh", "-c", gate, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.ExtraFiles = []*os.File{read} // descriptor 3
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	registered := reaper.addPID(c.pid())
	if registered == nil {
		_, registered = write.WriteString("go\n")
	}
	go func() {
		c.err = cmd.Wait()
		// A reaper that cannot be told is gone, and will kill nobody.
		_ = reaper.removePID(c.pid())
		close(c.done)
	}()
	if registered != nil {
		return nil, errors.Join(registered, c.kill())
	}
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// signal reaches the process and what it started. A process that has ended is no error.
func (c *child) signal(sig syscall.Signal) error {
	if !c.alive() {
		return nil
	}
	if err := syscall.Kill(-c.pid(), sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to process %d: %w", sig, c.pid(), err)
	}
	return nil
}

// kill ends the process at once and waits until it is gone.
func (c *child) kill() error {
	if err := c.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-c.done
	return nil
}

// stop asks the process to end and waits for it. It is killed when ctx is over, which is reported as an error.
func (c *child) stop(ctx context.Context) error {
	err := c.signal(syscall.SIGTERM)
	if err == nil {
		err = c.signal(syscall.SIGCONT) // a frozen process could not act on it
	}
	if err != nil {
		return errors.Join(err, c.kill())
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("killed, as it did not stop in time: %w", context.Cause(ctx)), c.kill())
	}
}
