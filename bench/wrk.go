package main

import (
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
	"time"
)

//go:embed requests.lua
var requestsScript []byte

// wrk is the load generator, from the distribution: it sends a request on each connection as soon as the last was answered.
type wrk struct {
	dir         string // for its files
	connections int
}

// newWrk writes its script to dir.
func newWrk(dir string, connections int) (*wrk, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, fmt.Errorf("find wrk (`scripts/install wrk` installs it): %w", err)
	}
	w := &wrk{dir, connections}
	if err := os.WriteFile(w.file("requests.lua"), requestsScript, 0o600); err != nil {
		return nil, fmt.Errorf("write the script of wrk: %w", err)
	}
	return w, nil
}

func (w *wrk) file(name string) string { return filepath.Join(w.dir, name) }

// figures are what one run showed. Latencies are in microseconds.
type figures struct {
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
func (f figures) perSecond() float64 { return float64(f.Requests) / float64(f.Microseconds) * 1e6 }

// send sends the requests of a target in turn for a while, on one thread, so that the client takes little from what is measured.
func (w *wrk) send(ctx context.Context, t target, length time.Duration) (figures, error) {
	list := w.file(t.name + ".requests")
	if err := os.WriteFile(list, []byte(strings.Join(t.requests, "\n")+"\n"), 0o600); err != nil {
		return figures{}, fmt.Errorf("write the requests of %s: %w", t.name, err)
	}
	args := []string{"--threads", "1", "--connections", strconv.Itoa(w.connections), "--timeout", "10s",
		"--duration", strconv.Itoa(int(length.Seconds())) + "s", "--script", w.file("requests.lua")}
	for name, values := range t.headers {
		args = append(args, "--header", name+": "+strings.Join(values, ", "))
	}
	cmd := exec.CommandContext(ctx, "wrk", append(args, t.url, list)...) //nolint:gosec // our own arguments
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return figures{}, ctx.Err()
	}
	if err != nil {
		return figures{}, fmt.Errorf("run wrk for %s: %w\n%s", t.name, err, out)
	}
	_, text, _ := strings.Cut(string(out), "\nresult ")
	var f figures
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return figures{}, fmt.Errorf("read the result of wrk for %s: %w\n%s", t.name, err, out)
	}
	if f.Requests == 0 {
		return figures{}, fmt.Errorf("%s answered no request of wrk\n%s", t.name, out)
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
