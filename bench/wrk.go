package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/neticket/neticket/internal/devserver"
)

//go:embed requests.lua
var requestsScript []byte

// wrk is the closed-loop client, from the distribution: it sends a request on each connection as soon as the last was answered.
type wrk struct{ dir string } // for its files

// newWrk writes its script to dir.
func newWrk(dir string) (*wrk, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, fmt.Errorf("find wrk (`scripts/install wrk` installs it): %w", err)
	}
	w := &wrk{dir}
	if err := os.WriteFile(w.file("requests.lua"), requestsScript, 0o600); err != nil {
		return nil, fmt.Errorf("write the script of wrk: %w", err)
	}
	return w, nil
}

func (w *wrk) file(name string) string { return filepath.Join(w.dir, name) }

// flood is what one run of wrk showed. Latencies are in microseconds.
type flood struct {
	Requests     int
	Microseconds int
	Bytes        int
	Refused      int // answers of 400 and above
	Broken       int // requests without an answer
	P50          int
	P99          int
	Max          int
}

// perSecond is the number of requests answered in a second.
func (f flood) perSecond() float64 { return float64(f.Requests) / float64(f.Microseconds) * 1e6 }

// failed is how many requests were refused or not answered.
func (f flood) failed() int { return f.Refused + f.Broken }

func (f flood) took() time.Duration { return time.Duration(f.Microseconds) * time.Microsecond }

// send sends the requests of a target in turn for a while, on one thread, so that the client takes little from what is measured.
func (w *wrk) send(ctx context.Context, t target, length time.Duration) (flood, error) {
	run, err := w.start(t, length)
	if err != nil {
		return flood{}, err
	}
	return run.wait(ctx)
}

// wrkRun is a run under way.
type wrkRun struct {
	*devserver.Program
	name string
	out  bytes.Buffer
}

// start starts to send, and returns at once. wait has to be called.
func (w *wrk) start(t target, length time.Duration) (*wrkRun, error) {
	list := w.file(strings.NewReplacer("/", "-", " ", "-").Replace(t.name) + ".requests")
	if err := os.WriteFile(list, []byte(strings.Join(t.requests, "\n")+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write the requests of %s: %w", t.name, err)
	}
	args := []string{"--threads", "1", "--connections", strconv.Itoa(t.connections), "--timeout", "10s",
		"--duration", strconv.Itoa(int(length.Seconds())) + "s", "--script", w.file("requests.lua")}
	for name, values := range t.headers {
		args = append(args, "--header", name+": "+strings.Join(values, ", "))
	}
	args = append(args, t.url, list)
	if t.tokens != "" {
		args = append(args, t.tokens)
	}
	if t.paired {
		args = append(args, "paired")
	}
	run := &wrkRun{name: t.name}
	cmd := exec.Command("wrk", args...) //nolint:noctx // it ends by itself, or by us
	cmd.Stdout, cmd.Stderr = &run.out, &run.out
	var err error
	if run.Program, err = devserver.StartProgram(cmd); err != nil {
		return nil, fmt.Errorf("start wrk: %w", err)
	}
	return run, nil
}

// hold freezes the client, or lets it go on: its connections stay open.
func (r *wrkRun) hold(frozen bool) error {
	if frozen {
		return r.Signal(syscall.SIGSTOP)
	}
	return r.Signal(syscall.SIGCONT)
}

// wait returns what the run showed, when it is over. The end of ctx ends it.
func (r *wrkRun) wait(ctx context.Context) (flood, error) {
	err := r.Wait(ctx)
	if ctx.Err() != nil {
		return flood{}, errors.Join(ctx.Err(), r.Kill())
	}
	if err != nil {
		return flood{}, fmt.Errorf("run wrk for %s: %w\n%s", r.name, err, r.out.String())
	}
	_, text, _ := strings.Cut(r.out.String(), "\nresult ")
	var f flood
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return flood{}, fmt.Errorf("read the result of wrk for %s: %w\n%s", r.name, err, r.out.String())
	}
	if f.Requests == 0 {
		return flood{}, fmt.Errorf("%s answered no request of wrk\n%s", r.name, r.out.String())
	}
	return f, nil
}

// version is what wrk calls itself, such as "debian/4.1.0-3+b2".
func (w *wrk) version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "wrk", "-v").Output()
	// It prints its usage, too, and ends with status 1.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		return "", fmt.Errorf("ask wrk for its version: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) < 2 {
		return "", errors.New("ask wrk for its version: it does not tell")
	}
	return words[1], nil
}
