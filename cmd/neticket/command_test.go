package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// cli is a tool on servers of the test's own.
type cli struct {
	servers systemtest.Servers
	env     environ
	in      string // standard input
	dev     string // folder of a dev
}

func newCLI(t *testing.T, settings ...string) cli {
	t.Helper()
	servers := systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t)}
	return cli{servers: servers, env: environ{
		"NETICKET_MYSQL_DSN=" + servers.DSN, "NETICKET_REDIS_ADDRS=" + servers.Redis.Addr(), "NETICKET_MYSQL_CONNS=8",
		"NETICKET_START_TIMEOUT=20s",
	}.with(settings...)}
}

// run returns the exit status and what was printed.
func (c cli) run(t *testing.T, args ...string) (status int, out, logs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = tool{environ: c.env, dev: c.dev, in: strings.NewReader(c.in), out: &stdout, logs: &stderr}.run(t.Context(), args)
	return status, stdout.String(), stderr.String()
}

func (c cli) mustRun(t *testing.T, args ...string) string {
	t.Helper()
	status, out, logs := c.run(t, args...)
	if status != 0 {
		t.Fatalf("neticket %v: exit status %d\n%s%s", args, status, out, logs)
	}
	return out
}

func TestUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args   string
		status int
		says   string
	}{
		{"", 0, "stock "},
		{"--version", 0, "neticket version"},
		{"--help", 0, "migrate "},
		{"dev --help", 0, "api, worker and flusher"},
		{"tokens --help", 0, "load-000001-<run>@neticket.test"},
		{"stock", 0, "check "},
		{"stock check --help", 0, "--json"},
		{"completion bash", 0, "neticket"},
		{"sell", 2, `unknown command "sell"`},
		{"stock sell", 2, `unknown command "sell"`},
		{"stock resync --help", 0, "--dry-run"},
		{"stock resync", 2, "accepts 1 arg"},
		{"stock resync first", 2, "SHOW must be the id of a show"},
		{"stock resync 0", 2, "SHOW must be the id of a show"},
		{"stock distrust --help", 0, "before anything else starts"},
		{"stock distrust 42", 2, `unknown command "42"`},
		{"stock check 42", 2, `unknown command "42"`},
		{"stock check --yaml", 2, "unknown flag: --yaml"},
		{"migrate now", 2, `unknown command "now"`},
		{"seed", 2, "--demo"},
		{"tokens", 2, "--count must be 1 to"},
		{"tokens --count many", 2, "many"},
		{"users", 0, "create-admin "},
		{"users delete", 2, `unknown command "delete"`},
		{"users create-admin --help", 0, "--promote"},
		{"users create-admin", 2, "--email and --name"},
		{"users create-admin --email a@b", 2, "--email and --name"},
		{"users create-admin --promote", 2, "--email and --name"},
		{"users create-admin kim", 2, `unknown command "kim"`},
		{"users create-admin --password x", 2, "unknown flag: --password"},
		{"stock check", 1, "NETICKET_SHARDS"},
		{"rush --help", 0, "--drop-replies"},
		{"rush", 2, "--buyers must be 1 to 100000, not 0"},
		{"rush --buyers 100001 --capacity 1", 2, "--buyers must be"},
		{"rush --buyers many", 2, "--buyers"},
		{"rush --buyers 1", 2, "--capacity must be 1 to 1000000, not 0"},
		{"rush --buyers 1 --capacity -1", 2, "--capacity must be"},
		{"rush --buyers 1 --capacity 1 --over -1s", 2, "--over must be 0s to 10m0s, not -1s"},
		{"rush --buyers 1 --capacity 1 --over 11m", 2, "--over must be"},
		{"rush --buyers 1 --capacity 1 --over 3", 2, "--over"},
		{"rush --buyers 1 --capacity 1 --connections -1", 2, "--connections must be"},
		{"rush --buyers 1 --capacity 1 --connections 2000000", 2, "ulimit -n"},
		{"rush --buyers 1 --capacity 1 --drop-replies 101", 2, "--drop-replies must be 0 to 100 percent, not 101"},
		{"rush --buyers 1 --capacity 1 --drop-replies -1", 2, "--drop-replies must be"},
		{"rush --buyers 1 --capacity 1 --url https://host", 2, "--url: the URL of the API must begin with http://"},
		{"rush --buyers 1 --capacity 1 --url host:80", 2, "--url: "},
		{"rush now", 2, `unknown command "now"`},
		{"rush --buyers 1 --capacity 1", 1, "NETICKET_SHARDS"},
		{"dead-letters", 0, "drop "},
		{"dead-letters --help", 0, `\xff`},
		{"dead-letters bury", 2, `unknown command "bury"`},
		{"dead-letters list 1", 2, `unknown command "1"`},
		{"dead-letters list --limit 0", 2, "--limit must be 1 to"},
		{"dead-letters show", 2, "accepts 1 arg"},
		{"dead-letters show 1", 2, "ID must be one of a dead letter"},
		{"dead-letters drop 1-2-x", 2, "ID must be one of a dead letter"},
		{"dead-letters drop 1-2-3 --json", 2, "unknown flag: --json"},
		{"dead-letters drop 1-2-3", 1, "NETICKET_SHARDS"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			c := cli{env: environ{"NETICKET_SHARDS=none"}}
			status, out, logs := c.run(t, strings.Fields(test.args)...)
			if status != test.status || !strings.Contains(out+logs, test.says) || (status == 0) != (logs == "") {
				t.Errorf("exit status %d, want %d and %q; printed %q, logged %q", status, test.status, test.says, out, logs)
			}
		})
	}
}

func TestServersAway(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	if status, _, logs := c.run(t, "stock", "check"); status != 1 || !strings.Contains(logs, "neticket migrate") {
		t.Errorf("without a schema: %d, %s", status, logs)
	}
	c.mustRun(t, "migrate")
	if err := c.servers.Redis.Kill(); err != nil {
		t.Fatal(err)
	}
	if status, _, logs := c.run(t, "stock", "check"); status != 1 || !strings.Contains(logs, "in Redis") || !strings.Contains(logs, "refused") {
		t.Errorf("without Redis: %d, %s", status, logs)
	}
	c.env = c.env.with("NETICKET_MYSQL_DSN=a:b@tcp("+c.servers.Redis.Addr()+")/c", "NETICKET_START_TIMEOUT=1ms") // nobody listens there now
	for _, args := range [][]string{{"stock", "check"}, {"migrate"}, {"seed", "--demo"}} {
		if status, out, logs := c.run(t, args...); status != 1 || out != "" || !strings.Contains(logs, "refused") {
			t.Errorf("%v without MySQL: %d, %q, %s", args, status, out, logs)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 32)
	c := newCLI(t, "NETICKET_TOKEN_SECRET="+secret)
	c.mustRun(t, "migrate")
	tokens := strings.Fields(c.mustRun(t, "tokens", "--count", "1500") + c.mustRun(t, "tokens", "--count", "2"))
	signer, err := account.NewSigner([][]byte{[]byte(secret)}, account.TokenLife, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	users := map[int64]bool{}
	for _, token := range tokens {
		claims, err := signer.Verify(token)
		if err != nil || claims.Role != account.Customer || time.Until(claims.ExpiresAt) < account.TokenLife-time.Minute {
			t.Fatalf("%s: %+v, %v", token, claims, err)
		}
		users[claims.UserID] = true
	}
	if len(users) != 1502 {
		t.Errorf("%d users", len(users))
	}

	c.env = c.env.with("NETICKET_TOKEN_SECRET=")
	if status, out, logs := c.run(t, "tokens", "--count", "1"); status != 1 || out != "" || !strings.Contains(logs, "NETICKET_TOKEN_SECRET is required") {
		t.Errorf("without a secret: %d, %q, %q", status, out, logs)
	}
}

func TestSeedDemo(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.mustRun(t, "migrate")
	c.mustRun(t, "migrate")
	if out := c.mustRun(t, "seed", "--demo"); !strings.Contains(out, "admin@neticket.test / admin-demo-pass") {
		t.Errorf("printed %q", out)
	}
	if out := c.mustRun(t, "stock", "check"); !strings.Contains(out, "as far as can be told") { // nobody guards the shards
		t.Errorf("without api and worker: %q", out)
	}
	rig := systemtest.On(t, c.servers)
	first := contents(t, rig)
	c.mustRun(t, "seed", "--demo")
	if second := contents(t, rig); first != second || first.shows != 24 {
		t.Errorf("the first time %+v, the second %+v", first, second)
	}

	accounts := account.New(rig.DB, rig.Log, time.Now)
	for email, login := range map[string]struct {
		password string
		role     account.Role
	}{"admin@neticket.test": {"admin-demo-pass", account.Admin}, "customer@neticket.test": {"customer-demo-pass", account.Customer}} {
		if user, err := accounts.LogIn(t.Context(), email, login.password, "192.0.2.1"); err != nil || user.Role != login.role {
			t.Errorf("%s: %+v, %v", email, user, err)
		}
	}
	if states := statesOf(t, rig); fmt.Sprint(states) != "map[closed:1 ended:3 on_sale:14 sold_out:3 upcoming:3]" {
		t.Errorf("states: %v", states)
	}
	var report invariant.Report
	if err := json.Unmarshal([]byte(c.mustRun(t, "stock", "check", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if !report.OK() || report.Shows != 24 || report.Conclusive != 7 {
		t.Errorf("after the seed: %+v", report)
	}
}

// tally is how much there is of everything.
type tally struct{ users, shows, reservations, reserved int }

func contents(t *testing.T, rig *systemtest.Rig) (n tally) {
	t.Helper()
	err := rig.DB.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM shows),
		(SELECT COUNT(*) FROM reservations WHERE status = 'confirmed'), (SELECT COALESCE(SUM(reserved), 0) FROM stock)`).
		Scan(&n.users, &n.shows, &n.reservations, &n.reserved)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func statesOf(t *testing.T, rig *systemtest.Rig) map[show.State]int {
	t.Helper()
	if err := rig.Catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows, err := rig.Catalogue.Find(show.Search{})
	if err != nil {
		t.Fatal(err)
	}
	states := map[show.State]int{}
	for s := range shows {
		level, now, err := rig.Levels.Level(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		states[show.StateOf(*s, now, level.Paused, level.Left)]++
	}
	return states
}

func TestStockCheck(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.On(t, c.servers)
	id := rig.Show(t, 10, 0)
	if _, err := rig.Resyncer.Resync(t.Context(), id, "test"); err != nil {
		t.Fatal(err)
	}
	if out := c.mustRun(t, "stock", "check"); !strings.Contains(out, "All invariants hold.") {
		t.Errorf("printed %q", out)
	}
	if err := rig.Redis.HIncrBy(t.Context(), rig.Shards.Show(id), "left", 50).Err(); err != nil {
		t.Fatal(err)
	}
	status, out, logs := c.run(t, "stock", "check")
	if status != 1 || !strings.Contains(out, "+50 off") || !strings.Contains(out, "50 units") || !strings.Contains(logs, "an invariant is broken") {
		t.Errorf("exit status %d, printed %q, logged %q", status, out, logs)
	}
	status, out, _ = c.run(t, "stock", "check", "--json")
	var report invariant.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != 1 || report.Drift != 50 || len(report.Violations) != 1 {
		t.Errorf("exit status %d, %v, %+v", status, err, report)
	}
	c.env = c.env.with("NETICKET_SHARDS=4")
	if status, _, logs := c.run(t, "stock", "check"); status != 1 || !strings.Contains(logs, "NETICKET_SHARDS") {
		t.Errorf("with other shards: %d, %q", status, logs)
	}
}

func TestStockResync(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.On(t, c.servers)
	id := rig.Show(t, 10, 0)
	show := fmt.Sprint(id)
	if _, err := rig.Resyncer.Resync(t.Context(), id, "test"); err != nil {
		t.Fatal(err)
	}
	rig.Redis.HIncrBy(t.Context(), rig.Shards.Show(id), "left", 50)
	if out := c.mustRun(t, "stock", "resync", show, "--dry-run"); !strings.Contains(out, "60 units left would be set to 10 (drift +50), epoch 1") {
		t.Errorf("printed %q", out)
	}
	var report struct {
		Show          int64
		Before, After int
		Drift         int
		Epoch         int64
		DryRun        bool `json:"dry_run"`
	}
	out := c.mustRun(t, "stock", "resync", show, "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Show != id || report.Before != 60 || report.After != 10 ||
		report.Drift != 50 || report.Epoch != 2 || report.DryRun {
		t.Errorf("%v: %s", err, out)
	}
	if out := c.mustRun(t, "stock", "resync", show); !strings.Contains(out, "10 units left are set to 10 (drift +0), epoch 3") {
		t.Errorf("printed %q", out)
	}
	rig.Redis.HSet(t.Context(), rig.Shards.Show(id), "state", "paused", "paused_at", time.Now().UnixMilli(), "token", "another")
	if status, _, logs := c.run(t, "stock", "resync", show); status != 1 || !strings.Contains(logs, "taken over after 10s") {
		t.Errorf("paused by another: %d, %q", status, logs)
	}
	if status, _, logs := c.run(t, "stock", "resync", "12345"); status != 1 || !strings.Contains(logs, "no such show") {
		t.Errorf("no such show: %d, %q", status, logs)
	}
	if got := fmt.Sprint(deeds(t, rig)); got != fmt.Sprintf("[stock.resync show:%d stock.resync show:%d]", id, id) {
		t.Errorf("the audit log has %s, want the two that were done", got)
	}
}

// A restored MySQL knows nothing of what was sold since: what Redis still holds must not be sold on.
func TestStockDistrust(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.Unguarded(t, c.servers)
	id := rig.Show(t, 10, 0)
	stop := systemtest.Go(t, rig.Guardian.Run)
	servertest.Eventually(t, 10*time.Second, "the fence opens", func() bool { return rig.Ledger.CheckFence(t.Context()) == nil })
	if _, err := rig.Resyncer.Resync(t.Context(), id, "test"); err != nil {
		t.Fatal(err)
	}
	if status, _, logs := c.run(t, "stock", "distrust"); status != 1 || !strings.Contains(logs, "stop all of them first") {
		t.Errorf("with a guardian: %d, %q", status, logs)
	}
	stop()
	servertest.Eventually(t, 10*time.Second, "the guardian is gone", func() bool { return rig.Ledger.CheckFence(t.Context()) != nil })
	if out := c.mustRun(t, "stock", "distrust"); !strings.Contains(out, "1 shows") {
		t.Errorf("printed %q", out)
	}
	if got := fmt.Sprint(deeds(t, rig)); got != "[stock.distrust stock]" {
		t.Errorf("the audit log has %s, want the one that was done", got)
	}
	systemtest.Go(t, rig.Guardian.Run)
	servertest.Eventually(t, 10*time.Second, "the fence opens again", func() bool { return rig.Ledger.CheckFence(t.Context()) == nil })
	hash := rig.Redis.HGetAll(t.Context(), rig.Shards.Show(id)).Val()
	if hash["state"] != "unloaded" {
		t.Errorf("what Redis held is still sold: %v", hash)
	}
	if _, err := rig.Resyncer.Resync(t.Context(), id, "test"); err != nil {
		t.Fatal(err)
	}
	if row, err := rig.Stock.Row(t.Context(), id); err != nil || row.Epoch != 1+1_000_000+1 {
		t.Errorf("%+v, %v", row, err)
	}
}

// TestDemoShowsCanBeSold checks the table: enough buyers, and as many kinds as promised.
func TestDemoShowsCanBeSold(t *testing.T) {
	t.Parallel()
	const buyers = 16
	kinds, titles := map[string]int{}, map[string]bool{}
	for _, d := range demoShows() {
		titles[d.title] = true
		switch {
		case d.sold > min(d.capacity, buyers*d.limit):
			t.Errorf("%s: %d of %d cannot be sold", d.title, d.sold, d.capacity)
		case d.day < 0 || d.closed:
			kinds["over"]++
		case d.opensIn > 0:
			kinds["opening"]++
		case d.sold == d.capacity:
			kinds["sold out"]++
		case d.sold > 0:
			kinds["nearly gone"]++
		default:
			kinds["open"]++
		}
	}
	if len(titles) != 24 || fmt.Sprint(kinds) != "map[nearly gone:4 open:10 opening:3 over:4 sold out:3]" {
		t.Errorf("%d titles, %v", len(titles), kinds)
	}
}
