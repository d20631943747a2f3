package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/system/systemtest"
)

const header = "title,venue,starts_at,sales_open_at,capacity,limit_per_user\n"

// listOf returns n shows as CSV.
func listOf(n int) string {
	var text strings.Builder
	text.WriteString(header)
	for i := range n {
		fmt.Fprintf(&text, "Show %d,Hall %d,2126-05-03T19:00:00+09:00,2026-05-03T11:00:00Z,%d,4\n", i+1, i%7, 100+i)
	}
	return strings.ReplaceAll(text.String(), "2126", "2099")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShowsImport(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	file := write(t, "shows.csv", listOf(1200))
	if status, _, logs := c.run(t, "shows", "import", file); status != 1 || !strings.Contains(logs, "neticket migrate") {
		t.Errorf("without a schema: %d, %s", status, logs)
	}
	rig := systemtest.Unguarded(t, c.servers)
	systemtest.Go(t, rig.Catalogue.Run)
	if out := c.mustRun(t, "shows", "import", "--dry-run", file); out != "All of 1200 shows are good. Nothing was added (--dry-run).\n" {
		t.Errorf("printed %q", out)
	}
	if n := contents(t, rig).shows; n != 0 {
		t.Fatalf("a dry run added %d shows", n)
	}

	var result imported
	if err := json.Unmarshal([]byte(c.mustRun(t, "shows", "import", "--json", file)), &result); err != nil {
		t.Fatal(err)
	}
	if result.Shows != 1200 || result.DryRun || result.LastID-result.FirstID < 1199 || len(result.Faults) != 0 {
		t.Errorf("%+v", result)
	}
	// An API that runs sees them soon.
	seen := func(n int) func() bool {
		return func() bool {
			shows, err := rig.Catalogue.Find(show.Search{})
			if err != nil {
				return false
			}
			found := 0
			for range shows {
				found++
			}
			return found == n
		}
	}
	servertest.Eventually(t, 5*time.Second, "the catalogue has the shows", seen(1200))
	row, err := rig.Stock.Row(t.Context(), result.LastID)
	last, err2 := rig.Shows.Get(t.Context(), result.LastID)
	if err != nil || err2 != nil || row.Capacity != 1299 || row.Limit != 4 || last.Title != "Show 1200" || last.TimeZone != "Asia/Seoul" {
		t.Errorf("%+v, %v; %+v, %v", row, err, last, err2)
	}

	records, _, err := rig.AuditLog.Page(t.Context(), 0, 10)
	want := fmt.Sprintf(`{"first_id":%d,"last_id":%d,"shows":1200}`, result.FirstID, result.LastID)
	if err != nil || len(records) != 1 || records[0].Action != auditlog.ImportShows || records[0].By.UserID != 0 || records[0].Object != "shows" || string(records[0].Details) != want {
		t.Errorf("%v: %+v", err, records)
	}

	c.in = `{"title":"지젤","venue":"예술의전당","starts_at":"2099-05-03T14:00:00Z","sales_open_at":"2026-05-03T11:00:00Z","capacity":1}`
	if out := c.mustRun(t, "shows", "import", "-"); !strings.HasPrefix(out, "1 shows were added, with the ids ") {
		t.Errorf("printed %q", out)
	}
	servertest.Eventually(t, 5*time.Second, "the catalogue has the show of standard input", seen(1201))
}

func TestShowsImportRefusesBadLists(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.Unguarded(t, c.servers)
	good := strings.TrimPrefix(listOf(1), header)
	oneBad := write(t, "shows.txt", listOf(1000)+strings.Replace(good, ",100,", ",0,", 1)+",,,,,\n")
	status, out, logs := c.run(t, "shows", "import", oneBad)
	want := "neticket shows import: nothing was added: 6 faults in 2 lines\n" +
		oneBad + ":1002: capacity: must be 1 to 1000000\n" + oneBad + ":1003: title: must not be empty\n"
	if status != 1 || out != "" || !strings.HasPrefix(logs, want) {
		t.Errorf("%d, %q, %q", status, out, logs)
	}
	c.in = header + strings.Repeat(",,,,,\n", 30)
	if status, _, logs := c.run(t, "shows", "import", "-"); status != 1 || strings.Count(logs, "\n-:") != toldFaults || !strings.Contains(logs, "and 100 more\n") {
		t.Errorf("%d, %q", status, logs)
	}
	status, out, logs = c.run(t, "shows", "import", "--json", "-")
	var result imported
	if err := json.Unmarshal([]byte(out), &result); err != nil || status != 1 || result.Total != 150 || len(result.Faults) != 150 || result.Faults[5].Line != 3 || logs == "" {
		t.Errorf("%d, %v, %+v, %q", status, err, result, logs)
	}
	c.in = listOf(1)
	for _, test := range []struct {
		args   string
		status int
		says   string
	}{
		{"-", 0, ""},
		{"--format jsonl -", 1, "-:1: this is not JSON"},
		{"--format csv " + write(t, "a", `{title}`), 1, "{title}: there is no such field"},
		{write(t, "empty", ""), 1, "there is no show in it"},
		{t.TempDir(), 1, "is a directory"},
		{"/nowhere/shows.csv", 1, "no such file"},
		{"", 2, "accepts 1 arg"},
		{"a b", 2, "accepts 1 arg"},
		{"--format xml a", 2, "csv or jsonl"},
	} {
		args := append([]string{"shows", "import", "--dry-run"}, strings.Fields(test.args)...)
		if status, _, logs := c.run(t, args...); status != test.status || !strings.Contains(logs, test.says) {
			t.Errorf("%s: %d, %q", test.args, status, logs)
		}
	}
	if n := contents(t, rig).shows; n != 0 {
		t.Errorf("%d shows of bad lists were added", n)
	}
}

// What fails in the middle leaves nothing behind.
func TestShowsImportIsWhole(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.Unguarded(t, c.servers)
	c.in = listOf(3000)
	if _, err := rig.DB.ExecContext(t.Context(), "ALTER TABLE stock ADD CONSTRAINT small CHECK (capacity < 3000)"); err != nil {
		t.Fatal(err)
	}
	if status, _, logs := c.run(t, "shows", "import", "-"); status != 1 || !strings.Contains(logs, "nothing was added: insert stock of") {
		t.Errorf("%d, %q", status, logs)
	}
	var shows, stock, records int
	err := rig.DB.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM shows), (SELECT COUNT(*) FROM stock), (SELECT COUNT(*) FROM audit_log)").
		Scan(&shows, &stock, &records)
	if err != nil || shows != 0 || stock != 0 || records != 0 {
		t.Errorf("%d shows, %d stocks and %d records, %v", shows, stock, records, err)
	}
	c.env = c.env.with("NETICKET_MYSQL_DSN=a:b@tcp(127.0.0.1:1)/c")
	if status, _, logs := c.run(t, "shows", "import", "-"); status != 1 || !strings.Contains(logs, "refused") {
		t.Errorf("without MySQL: %d, %q", status, logs)
	}
	c.mustRun(t, "shows", "import", "--dry-run", "-") // asks nobody
}
