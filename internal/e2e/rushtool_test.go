package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/neticket/neticket/internal/devserver/servertest"
	rushtool "github.com/neticket/neticket/internal/rush"
)

// rushTool runs `neticket rush` with the deployment's settings, at its API, and returns its exit status and what it printed.
func (d *deployment) rushTool(t *testing.T, args ...string) (status int, out, logs string) {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "neticket"), append([]string{"rush", "--url", d.url}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, &stdout, &stderr
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// rushReport runs it for its report.
func (d *deployment) rushReport(t *testing.T, want int, args ...string) (r rushtool.Report) {
	t.Helper()
	status, out, logs := d.rushTool(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != want || r.Holds != (want == 0) {
		t.Fatalf("exit status %d, want %d; %v\n%s%s", status, want, err, out, logs)
	}
	return r
}

// broken returns the names of the checks that do not hold.
func broken(r rushtool.Report) map[string]bool {
	names := map[string]bool{}
	for _, check := range r.Checks {
		if !check.Holds {
			names[check.Name] = true
		}
	}
	return names
}

func TestRushTool(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	d.start(t, "worker")

	r := d.rushReport(t, 0, "--buyers", "300", "--capacity", "100")
	if want := map[string]int{"202": 100, "409 sold_out": 200}; !maps.Equal(r.Last, want) || r.Recorded != 100 || r.RecordedAfter <= 0 {
		t.Errorf("%+v, want %v", r, want)
	}
	servertest.Eventually(t, 5*time.Second, "the show's sale is closed", func() bool {
		return d.as(t, 1).must(t, "GET", "/api/v1/shows/"+fmt.Sprint(r.Show), "").Body["state"] == "closed"
	})

	status, out, logs := d.rushTool(t, "--buyers", "200", "--capacity", "1000", "--over", "100ms", "--connections", "20")
	if status != 0 || !strings.Contains(out, "All invariants hold.") || strings.Contains(out, "BROKEN") || logs != "" {
		t.Errorf("exit status %d\n%s%s", status, out, logs)
	}
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 79 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	d.sound(t)
}

// Each buyer whose reply is lost sends the same key again, and ends with one reservation.
func TestRushToolDropsReplies(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	d.start(t, "worker")
	r := d.rushReport(t, 0, "--buyers", "400", "--capacity", "300", "--drop-replies", "30", "--over", "300ms")
	if r.Dropped != 120 || r.First["reply dropped"] != 120 || r.Last["reply dropped"] != 0 || r.Found == 0 {
		t.Errorf("%+v", r)
	}
	if booked := r.Last["200"] + r.Last["202"]; booked != 300 || r.Last["409 sold_out"] != 100 || r.Recorded != 300 {
		t.Errorf("%d booked, %+v", booked, r)
	}
	d.sound(t)
}

// A worker that dies with entries in hand loses none: the other takes them over.
func TestRushToolKillsAWorker(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	if status, _, logs := d.rushTool(t, "--buyers", "1", "--capacity", "1", "--kill-worker"); status != 1 || !strings.Contains(logs, "no worker of this system is running") {
		t.Errorf("without a worker: %d, %s", status, logs)
	}
	workers := []*process{d.start(t, "worker"), d.start(t, "worker")}
	r := d.rushReport(t, 0, "--buyers", "3000", "--capacity", "2500", "--kill-worker")
	if r.Killed == nil || !r.Killed.TakenOver || r.Recorded != 2500 || r.Last["409 sold_out"] != 500 {
		t.Fatalf("%+v, killed %+v", r, r.Killed)
	}
	dead := 0
	for _, worker := range workers {
		if status(t, worker.ops+"/livez") == 0 {
			dead++
		}
	}
	if dead != 1 {
		t.Errorf("%d workers are dead, want the one", dead)
	}
	d.sound(t)
}

// What breaks an invariant in the middle of a rush is found: here, a row that nobody asked for.
func TestRushToolFindsDamage(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	d.start(t, "worker")
	done := make(chan struct{})
	go func() {
		defer close(done)
		servertest.Eventually(t, 20*time.Second, "the rush's show is being sold", func() bool {
			added, err := d.DB.ExecContext(t.Context(), `INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, booked_at, confirmed_at)
				SELECT UNHEX(REPEAT('ab', 16)), shows.id, 999999, 1, 'confirmed', 1, 999999, NOW(3), NOW(3) FROM shows JOIN stock ON show_id = shows.id
				WHERE title LIKE 'Rush %' AND epoch > 0`)
			if err != nil {
				t.Error(err)
				return true
			}
			n, err := added.RowsAffected()
			return err != nil || n == 1
		})
	}()
	r := d.rushReport(t, 1, "--buyers", "300", "--capacity", "100")
	<-done
	if got := broken(r); !got["nobody_else"] || !got["capacity"] || !got["I1"] || got["booked_is_recorded"] || got["answered"] {
		t.Errorf("broken: %v", got)
	}
}

// Ctrl-C ends a rush at once, and its sale.
func TestRushToolIsInterrupted(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	d.start(t, "worker")
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "neticket"), "rush", "--url", d.url, "--buyers", "1000", "--capacity", "1000", "--over", "10m")
	cmd.Env, cmd.Stderr = d.env, &logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var show int64
	servertest.Eventually(t, 20*time.Second, "somebody has booked", func() bool {
		return d.DB.QueryRowContext(t.Context(), "SELECT show_id FROM reservations LIMIT 1").Scan(&show) == nil
	})
	began := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(logs.String(), "interrupt") || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v, %s", err, time.Since(began), logs.String())
	}
	of, err := d.Shows.Get(t.Context(), show)
	if err != nil || of.SalesCloseAt.After(time.Now()) {
		t.Errorf("the sale goes on: %+v, %v", of, err)
	}
}

func TestRushToolIsAtTheWrongPlace(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	other := deploy(t)
	other.stage(t, stage{title: "Swan Lake", capacity: 10}) // show 1, as the rush's will be
	other.start(t, "api")
	d.url = other.url
	if status, _, logs := d.rushTool(t, "--buyers", "1", "--capacity", "1"); status != 1 || !strings.Contains(logs, `another system's: its show 1 is "Swan Lake"`) {
		t.Errorf("at another system: %d, %s", status, logs)
	}
	d.start(t, "api", "NETICKET_TOKEN_SECRET="+strings.Repeat("x", 32))
	if status, _, logs := d.rushTool(t, "--buyers", "1", "--capacity", "1"); status != 1 || !strings.Contains(logs, "NETICKET_TOKEN_SECRET must be the one") {
		t.Errorf("with another secret: %d, %s", status, logs)
	}
}
