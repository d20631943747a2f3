package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// TestMain lets the test binary stand in for api, worker and flusher, when it is called by one of their names.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "api", "worker", "flusher":
		if err := beDaemon(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// beDaemon writes its pid to a file beside its program, then is ready until SIGTERM.
func beDaemon() error {
	if err := os.WriteFile(os.Args[0]+".pid", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", os.Getenv("NETICKET_OPS_ADDR"))
	if err != nil {
		return err
	}
	stopped := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stopped()
	err = http.Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// devRun is a dev under test.
type devRun struct {
	programs string
	out      *output
	env      environ // that migrate was called with
	seeded   bool
	cancel   context.CancelFunc
	ended    chan error
}

func startDev(t *testing.T, dir string, env ...string) *devRun {
	t.Helper()
	programs := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"api", "worker", "flusher"} {
		if err := os.Symlink(self, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &devRun{programs: programs, out: &output{}, cancel: cancel, ended: make(chan error, 1)}
	d := dev{
		dir: dir, programs: programs, opsPorts: []int{0, 0, 0}, environ: append(environ{"PATH=" + os.Getenv("PATH"), "NETICKET_HTTP_ADDR=127.0.0.1:0"}, env...),
		out: r.out, logs: t.Output(), log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		migrate: func(_ context.Context, env environ) error { r.env = env; return nil },
		seed:    func(context.Context, environ) error { r.seeded = true; return nil },
	}
	go func() { r.ended <- d.run(ctx) }()
	t.Cleanup(cancel)
	return r
}

func (r *devRun) waitRunning(t *testing.T) {
	t.Helper()
	servertest.Eventually(t, 60*time.Second, "dev says that it is running", func() bool {
		select {
		case err := <-r.ended:
			t.Fatalf("dev ended: %v", err)
		default:
		}
		return strings.Contains(r.out.String(), "is running")
	})
}

func (r *devRun) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	r.cancel()
	if err := <-r.ended; err != nil {
		t.Errorf("dev: %v", err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

func TestDevFindsItsDataAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startDev(t, dir)
	first.waitRunning(t)
	if !first.seeded {
		t.Error("not seeded")
	}
	execute(t, first.env.get("NETICKET_MYSQL_DSN"), "CREATE TABLE a (id INT PRIMARY KEY)")
	first.stop(t)
	for _, name := range []string{"NETICKET_MYSQL_DSN", "NETICKET_REDIS_ADDRS"} {
		addr := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(first.env.get(name))
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("%s still answers", name)
		}
	}
	secret := readSecret(t, first.env)

	second := startDev(t, dir)
	second.waitRunning(t)
	for _, name := range []string{"NETICKET_MYSQL_DSN", "NETICKET_REDIS_ADDRS"} {
		if was, is := first.env.get(name), second.env.get(name); was != is {
			t.Errorf("%s was %s, is %s", name, was, is)
		}
	}
	if got, want := second.env.get("NETICKET_IMAGES_URL"), filepath.Join(dir, "images"); got != want {
		t.Errorf("images are kept in %s, want %s", got, want)
	}
	if readSecret(t, second.env) != secret {
		t.Error("another token secret: everybody is logged out")
	}
	execute(t, second.env.get("NETICKET_MYSQL_DSN"), "INSERT INTO a VALUES (1)")

	third := startDev(t, dir)
	if err := <-third.ended; err == nil || !strings.Contains(err.Error(), "another `neticket dev`") {
		t.Errorf("two at once in one folder: %v", err)
	}
	second.stop(t)
}

func TestDevStartsProcessesAgain(t *testing.T) {
	t.Parallel()
	r := startDev(t, t.TempDir(), externalServers...)
	r.waitRunning(t)
	killed := r.workerPID(t)
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var pid int
	servertest.Eventually(t, 10*time.Second, "there is another worker", func() bool {
		pid = r.workerPID(t)
		return pid != 0 && pid != killed
	})
	r.stop(t)
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the worker is still there")
	}
}

// externalServers need not be there: nothing but the processes would connect.
var externalServers = []string{"NETICKET_MYSQL_DSN=a:b@tcp(127.0.0.1:1)/c", "NETICKET_REDIS_ADDRS=127.0.0.1:2"}

func TestDevUsesServersOfTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := startDev(t, dir, externalServers...)
	r.waitRunning(t)
	for _, setting := range externalServers {
		name, want, _ := strings.Cut(setting, "=")
		if got := r.env.get(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	r.stop(t)
	for _, name := range []string{"mysql", "redis"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("there is a folder for %s", name)
		}
	}
}

func TestDevPortTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	r := startDev(t, t.TempDir(), "NETICKET_HTTP_ADDR="+listener.Addr().String())
	if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "NETICKET_HTTP_ADDR") {
		t.Errorf("error %v", err)
	}
}

func TestOpsAddrs(t *testing.T) {
	t.Parallel()
	taken, err := listen(t.Context(), localAddr(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	takenPort := taken.Addr().(*net.TCPAddr).Port
	wanted, err := devserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	http, err := devserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	httpAddr := localAddr(http)
	got, err := findOpsAddrs(t.Context(), []int{takenPort, wanted, http}, httpAddr)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] == taken.Addr().String() || got[1] != localAddr(wanted) || got[2] == httpAddr {
		t.Errorf("got %v; %d is taken, %d free, %d for HTTP", got, takenPort, wanted, http)
	}
}

func TestDevStopsWhileItStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := startDev(t, dir)
	servertest.Eventually(t, 10*time.Second, "a server is being made", func() bool {
		_, err := os.Stat(filepath.Join(dir, "mysql"))
		return err == nil
	})
	r.stop(t)
}

func TestShellFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "env")
	if err := writeShellFile(path, []string{"A=it's $HOME", "B="}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "A='it'\\''s $HOME'\nB=''\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A command finds the dev that runs in its folder unless it was given servers. Settings that dev was given are passed on.
func TestCommandsFindDev(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := startDev(t, dir, append(externalServers, "NETICKET_SHARDS=4", "NETICKET_NOTE=it's\na 'note'", "NETICKET_OPS_ADDR=:1")...)
	r.waitRunning(t)
	if got := r.env.get("NETICKET_RATE_PER_ADDRESS"); got != "0" {
		t.Errorf("NETICKET_RATE_PER_ADDRESS is %q, want 0: here everyone has one address", got)
	}
	settings := func(env ...string) (environ, string) {
		t.Helper()
		var logs bytes.Buffer
		found, err := tool{dev: dir, logs: &logs}.settings(env)
		if err != nil {
			t.Fatal(err)
		}
		return found, logs.String()
	}
	found, logs := settings("NETICKET_LOG_LEVEL=debug", "NETICKET_HTTP_ADDR=:9")
	for name, want := range map[string]string{
		"NETICKET_MYSQL_DSN": "a:b@tcp(127.0.0.1:1)/c", "NETICKET_REDIS_ADDRS": "127.0.0.1:2", "NETICKET_SHARDS": "4",
		"NETICKET_NOTE": "it's\na 'note'", "NETICKET_HTTP_ADDR": r.env.get("NETICKET_HTTP_ADDR"), "NETICKET_LOG_LEVEL": "debug",
		"NETICKET_OPS_ADDR": "", "NETICKET_TOKEN_SECRET_FILE": filepath.Join(dir, tokenSecretFile), "NETICKET_RATE_PER_ADDRESS": "0",
	} {
		if got := found.get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Count(logs, "\n") != 1 || !strings.Contains(logs, dir) {
		t.Errorf("said %q, want one line that names the folder", logs)
	}
	for _, own := range []string{"NETICKET_MYSQL_DSN=x", "NETICKET_MYSQL_DSN_FILE=x", "NETICKET_REDIS_ADDRS=x"} {
		if found, logs := settings(own); len(found) != 1 || logs != "" {
			t.Errorf("with %s: %v, %q", own, found, logs)
		}
	}
	r.stop(t)
	if found, logs := settings("NETICKET_SHARDS=2"); len(found) != 1 || logs != "" {
		t.Errorf("after dev has ended: %v, %q", found, logs)
	}

	unlock, err := devserver.Lock(filepath.Join(dir, devLock), false)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	path := filepath.Join(dir, devSettings)
	for _, damaged := range []string{"A", "A=", "A='x", "A='x'\\''"} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (tool{dev: dir, logs: t.Output()}).settings(nil); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%q: %v", damaged, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := (tool{dev: dir, logs: t.Output()}).settings(nil); err == nil || !strings.Contains(err.Error(), "not started its servers yet") {
		t.Errorf("while dev starts: %v", err)
	}
}

// Where the environment limits addresses, dev does, too.
func TestDevKeepsTheRateOfTheEnvironment(t *testing.T) {
	t.Parallel()
	r := startDev(t, t.TempDir(), append(externalServers, "NETICKET_RATE_PER_ADDRESS=5")...)
	r.waitRunning(t)
	if got := r.env.get("NETICKET_RATE_PER_ADDRESS"); got != "5" {
		t.Errorf("NETICKET_RATE_PER_ADDRESS is %s, want 5", got)
	}
	r.stop(t)
}

func TestBrowserURL(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		":8080": "http://localhost:8080", "0.0.0.0:80": "http://localhost:80", "[::]:80": "http://localhost:80",
		"127.0.0.1:18080": "http://127.0.0.1:18080", "[::1]:1": "http://[::1]:1",
	} {
		if got := browserURL(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// workerPID asks the worker's file: by its port it might be the worker of another test.
func (r *devRun) workerPID(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.programs, "worker.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return 0 // it is being written
	}
	return pid
}

func readSecret(t *testing.T, env environ) string {
	t.Helper()
	path := env.get("NETICKET_TOKEN_SECRET_FILE")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || len(text) < 32 {
		t.Errorf("%s: %d bytes, %v", path, len(text), info.Mode())
	}
	return string(text)
}

func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// output may be written and read at the same time.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
