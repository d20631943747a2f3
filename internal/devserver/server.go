package devserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second // recovery of a big folder after a kill takes the longest
	closeTimeout = 15 * time.Second
	readyPoll    = 5 * time.Millisecond
	portAttempts = 5
)

// server is what Redis and MariaDB have in common: a process over a folder, which can be ended and started again.
// Its methods may be called at the same time.
type server struct {
	name      string // of the program
	dir       string // absolute
	temporary bool
	command   func(port int) *exec.Cmd
	ready     func(ctx context.Context, port, pid int) error // nil when it answers and is the process pid

	mu    sync.Mutex
	port  int  // 0 until one is found
	given bool // the port was not ours to choose, or it is known to others by now
	child *child
}

// prepareDir makes the server's folder. An empty dir means a new temporary one.
func (s *server) prepareDir(dir string, temporary bool) error {
	var err error
	if dir == "" {
		s.temporary = true
		s.dir, err = tempDir("", "neticket-"+s.name+"-")
		return err
	}
	s.temporary = temporary
	if s.dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if !temporary {
		return nil
	}
	reaper, err := theReaper()
	if err != nil {
		return err
	}
	return reaper.addDir(s.dir)
}

// Start starts the server again after Stop or Kill, or after it died, on the same port and folder, and waits until it
// answers: as long as ctx allows, 60 seconds at most. The error holds the end of the server's log.
func (s *server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil && s.child.alive() {
		return fmt.Errorf("start %s: it is running", s.name)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := s.startOnce(ctx)
		if err == nil {
			s.given = true
			return nil
		}
		if s.given || !errors.Is(err, errPortTaken) || attempt == portAttempts {
			return fmt.Errorf("start %s on port %d: %w", s.name, s.port, err)
		}
		s.port = 0
	}
}

func (s *server) startOnce(ctx context.Context) error {
	if s.port == 0 {
		port, err := FreePort()
		if err != nil {
			return err
		}
		s.port = port
	}
	log, err := openLog(s.LogFile())
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command(s.port)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C") // explain reads the messages
	cmd.Stdout, cmd.Stderr = log.File, log.File
	if s.child, err = spawn(cmd); err != nil {
		return err
	}
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		notReady := s.ready(ctx, s.port, s.child.pid())
		if notReady == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-s.child.done:
			return log.explain(s.child.err)
		case <-ctx.Done():
			return errors.Join(log.explain(fmt.Errorf("%w: %w", context.Cause(ctx), notReady)), s.child.kill())
		}
	}
}

// Stop ends the server cleanly, its data on disk, and keeps the folder. When ctx is over first, the server is killed
// and the error says so. A server that does not run is no error.
func (s *server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return nil
	}
	if err := s.child.stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	return nil
}

// Kill ends the server with SIGKILL, as a crash would, and returns once it is gone. It keeps the folder.
func (s *server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return nil
	}
	if err := s.child.kill(); err != nil {
		return fmt.Errorf("kill %s: %w", s.name, err)
	}
	return nil
}

// Close ends the server for good: a temporary one is killed and its folder removed, any other stopped cleanly within
// 15 seconds.
func (s *server) Close() error {
	if !s.temporary {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		return s.Stop(ctx)
	}
	if err := s.Kill(); err != nil {
		return err
	}
	return removeTempDir(s.dir)
}

// Pause freezes the server with SIGSTOP: connections stay open and nothing is answered, as on a machine that hangs.
func (s *server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil || !s.child.alive() {
		return fmt.Errorf("send %v to %s: it is not running", sig, s.name)
	}
	return s.child.signal(sig)
}

// Done returns a channel that is closed when the process started last has ended, however it did.
func (s *server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child.done
}

// PID is the process id of the server started last.
func (s *server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child.pid()
}

// Port is the TCP port at 127.0.0.1; it stays the same from start to start.
func (s *server) Port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port
}

// Addr is "127.0.0.1:" and the port.
func (s *server) Addr() string { return localAddr(s.Port()) }

// Dir is the server's folder, an absolute path.
func (s *server) Dir() string { return s.dir }

// LogFile is the path of the server's log, in its folder.
func (s *server) LogFile() string { return filepath.Join(s.dir, s.name+".log") }
