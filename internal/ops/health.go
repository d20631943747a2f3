package ops

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	checkTimeout = 2 * time.Second // of one check; probes of orchestrators often wait 3 to 5 s
	maxErrorText = 200             // bytes of an error that the ops page shows
	stopping     = "stopping"      // the last state
)

// Health answers whether a process can do its work. It begins as starting; the process says when it is ready and when
// it stops. Its methods may be called at the same time.
type Health struct {
	mu     sync.Mutex
	state  string
	ready  bool
	checks []healthCheck
}

type healthCheck struct {
	name     string
	critical bool
	run      func(context.Context) error
}

// Report is the answer of /readyz.
type Report struct {
	Ready  bool              `json:"ready"`
	State  string            `json:"state"` // ready, stopping, or what the start waits for
	Checks map[string]Result `json:"checks"`
}

// Result tells how one dependency does.
type Result struct {
	OK       bool   `json:"ok"`
	Critical bool   `json:"critical,omitempty"` // while it fails, the process is not ready
	Error    string `json:"error,omitempty"`
}

// NewHealth returns the health of a process that is starting.
func NewHealth() *Health {
	return &Health{state: "starting"}
}

// AddCheck adds a dependency, named once. While a critical one fails, the process is not ready; any other is only shown.
// check is given 2 s, must honour its context and may run several times at once. Everyone who reaches the ops page
// reads its error (the first 200 bytes): it must hold no secret, such as a DSN with its password.
func (h *Health) AddCheck(name string, critical bool, check func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, healthCheck{name, critical, check})
}

// SetStarting says what the start is busy with, such as "waiting for mysql"; the process is not ready.
func (h *Health) SetStarting(what string) { h.set(what, false) }

// SetReady ends the start: from here on the checks decide.
func (h *Health) SetReady() { h.set("ready", true) }

// SetStopping makes the process not ready for good, so that no new work is sent to it.
func (h *Health) SetStopping() { h.set(stopping, false) }

func (h *Health) set(state string, ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != stopping {
		h.state, h.ready = state, ready
	}
}

// Report runs all checks at once and takes 2 s at most.
func (h *Health) Report(ctx context.Context) Report {
	h.mu.Lock()
	report := Report{Ready: h.ready, State: h.state, Checks: make(map[string]Result, len(h.checks))}
	checks := h.checks // appended to, never changed
	h.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	results := make([]Result, len(checks))
	var running sync.WaitGroup
	for i, check := range checks {
		running.Go(func() {
			results[i] = Result{OK: true, Critical: check.critical}
			if err := check.run(ctx); err != nil {
				results[i].OK, results[i].Error = false, short(err)
			}
		})
	}
	running.Wait()
	for i, check := range checks {
		report.Checks[check.name] = results[i]
		report.Ready = report.Ready && (results[i].OK || !check.critical)
	}
	return report
}

func short(err error) string {
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "")
}

func (h *Health) serveReady(w http.ResponseWriter, r *http.Request) {
	report := h.Report(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !report.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(report) // the prober may be gone
}
