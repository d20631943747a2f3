package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/neticket/neticket/internal/rush"
)

func TestLocalURL(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		":8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:80": "http://127.0.0.1:80",
		"127.0.0.1:18080": "http://127.0.0.1:18080", "[::1]:1": "http://[::1]:1", "host:1": "http://host:1",
	} {
		if got := localURL(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// The report fits a terminal, whatever went wrong, and says so.
func TestPrintRush(t *testing.T) {
	t.Parallel()
	r := rush.Report{
		Show: 123456789, Buyers: 100_000, Capacity: 1_000_000, Over: rush.Millis(10 * time.Minute), Connections: 100_000,
		First: map[string]int{"202": 5000, "reply dropped": 99_999}, Last: map[string]int{"200": 1, "409 sold_out": 3, "503 unavailable": 99_999},
		LastLatency: rush.Latency{Mean: rush.Millis(time.Minute), Max: rush.Millis(1500 * time.Microsecond)},
		Dropped:     99_999, Found: 99_999, GaveUp: 99_999, Left: 999_999, Recorded: 1_000_000, Others: 5,
		Killed: &rush.Killed{PID: 4_194_304, After: rush.Millis(10 * time.Minute), Held: 100_000},
		Checks: []rush.Check{{Name: "answered", Holds: true, Detail: "every buyer"}, {Name: "I1", Detail: strings.Repeat("many words ", 30)}},
	}
	var out bytes.Buffer
	if err := (tool{out: &out}).printRush(r); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		"200 booked already", "409 sold out", "60.00 s", "2 ms", "nothing more within 30 s", "99,999 buyers were turned away", "999,999 tickets are left",
		"NOBODY has taken them over", "ok      every buyer\n", "BROKEN  I1: many words", "Other shows have 5 faults", "BROKEN. The sale of show 123456789 is closed",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > rushWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
