package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCapacityIsFromTheStoredResults: no page about capacity shows a figure that the stored results do not.
func TestCapacityIsFromTheStoredResults(t *testing.T) {
	t.Parallel()
	for page := range capacityPages {
		want, err := capacityPage("results", page)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", capacityFolder, page))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("docs/%s is not what bench/%s and bench/results make of it; `go run ./bench -write-capacity` writes it", page, capacityPages[page])
		}
	}
}

// costs are results with round figures.
func costs() *results {
	r := &results{Version: "tiny", Date: time.Now()}
	for name, value := range map[string]float64{"cpu/api": 0.030, "cpu/worker": 0.008, "cpu/flusher": 0.002, "cpu/redis": 0.020, "cpu/mysql": 0.010,
		"cpu/total": 0.070, "cpu/refused": 0.040, "cpu/api/detail": 0.020, "cpu/api/show-page": 0.050, "memory/api/idle": 40, "memory/api/open": 240,
		"memory/worker": 50, "booking/confirmed": 20_000, "booking/latency/p99": 20, lock64: 2000} {
		r.add(name, value)
	}
	r.finish()
	return r
}

func TestPlan(t *testing.T) {
	t.Parallel()
	c := capacity{costs()}
	p, err := c.Plan(c.Sale(60_000, 120_000, 120, 60, 6))
	if err != nil {
		t.Fatal(err)
	}
	// 1,000 bookings, 1,000 refusals, 20,000 polls and 1,000 pages per second.
	for name, pair := range map[string][2]float64{
		"API": {p.API, 0.030 + 0.040 + 0.4 + 0.05}, "worker": {p.Worker, 0.010}, "Redis": {p.Redis, 0.020}, "MySQL": {p.MySQL, 0.010},
		"to buy": {p.Buy, 1}, "memory": {p.Memory, 120_000 * 20 / 1024.0}, "APIs": {p.APIs, 6}, "Redises": {p.Redises, 1},
	} {
		if math.Abs(pair[0]-pair[1]) > 0.02*pair[1] {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

// TestCapacityNeedsItsFigures: a page with a hole in it is not written.
func TestCapacityNeedsItsFigures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := costs()
	r.Version = full.name
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	if text, err := capacityPage(dir, "capacity.md"); err != nil || !strings.Contains(text, "**0.070**") || !strings.Contains(text, "50,000") {
		t.Errorf("%v\n%s", err, text)
	}
	r.Figures = r.Figures[1:]
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := capacityPage(dir, "capacity.md"); err == nil || !strings.Contains(err.Error(), "no figure") {
		t.Errorf("a figure is missing, and the error is %v", err)
	}
}
