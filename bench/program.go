package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/neticket/neticket/internal/devserver"
)

const (
	readyWithin = 2 * time.Minute
	readyPoll   = 50 * time.Millisecond
)

// program is a process that the bench started. It ends with this process, however that ends.
type program struct {
	*devserver.Program
	name string
	url  string // of api, floor and lock
	ops  string // address of the ops page
}

// launch starts a program with its log in a folder, and returns when it is ready. One that does not get ready is killed.
func launch(ctx context.Context, dir, name string, cmd *exec.Cmd, ready func(context.Context) error) (*program, error) {
	log, err := os.CreateTemp(dir, name+"-*.log")
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer log.Close() // the process has its own
	cmd.Stdout, cmd.Stderr = log, log
	p := &program{name: name}
	if p.Program, err = devserver.StartProgram(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := eventually(ctx, ready); err != nil {
		said, _ := os.ReadFile(log.Name())
		return nil, errors.Join(fmt.Errorf("wait for %s: %w\n%s", name, err, said[max(0, len(said)-4<<10):]), p.Kill())
	}
	return p, nil
}

// launchReference runs floor or lock, which are this very program.
func launchReference(ctx context.Context, dir, name string, args ...string) (*program, error) {
	addrs, err := freeAddrs(1)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program of %s: %w", name, err)
	}
	cmd := exec.Command(self, append([]string{name, addrs[0]}, args...)...) //nolint:noctx // our own program, ended by us
	p, err := launch(ctx, dir, name, cmd, func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addrs[0])
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		return nil, err
	}
	p.url = "http://" + addrs[0]
	return p, nil
}

// eventually calls a check until it returns nil, for two minutes at most.
func eventually(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if wait(ctx, readyPoll) != nil {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// wait returns after a time, or with an error when ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// profile writes a CPU profile of the given length to a file.
func (p *program) profile(ctx context.Context, length time.Duration, file string) error {
	text, err := get(ctx, "http://"+p.ops+"/debug/pprof/profile?seconds="+strconv.Itoa(int(length.Seconds())))
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("profile %s: %w", p.name, err)
	}
	return nil
}

// get returns the body of an answer with status 200.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return body, err
}

// freeAddrs returns loopback addresses that nobody listens on.
func freeAddrs(n int) (addrs []string, err error) {
	for len(addrs) < n {
		port, err := devserver.FreePort()
		if err != nil {
			return nil, err
		}
		if addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port)); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs, nil
}

func tempFolder() (string, error) {
	dir, err := os.MkdirTemp("", "neticket-bench-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the bench: %w", err)
	}
	return filepath.EvalSymlinks(dir)
}
