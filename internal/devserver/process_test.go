package devserver_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// runShell keeps a shell script running, which gets a folder of the test's own as its working place in $DIR.
func runShell(t *testing.T, script string, stopTimeout time.Duration) (dir string, stop func() error) {
	t.Helper()
	dir = t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	process := devserver.Process{
		Name: "shell", Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"DIR=" + dir, "PATH=" + os.Getenv("PATH")},
		Output: t.Output(), Log: testLogger(t), StopTimeout: stopTimeout,
	}
	go func() { ended <- process.Run(ctx) }()
	return dir, func() error {
		cancel()
		return <-ended
	}
}

func TestProcessIsStartedAgain(t *testing.T) {
	t.Parallel()
	dir, stop := runShell(t, `echo started >>"$DIR/starts"; exit 1`, time.Second)
	servertest.Eventually(t, 10*time.Second, "it is started a third time", func() bool {
		return strings.Count(read(t, filepath.Join(dir, "starts")), "started") >= 3
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestProcessStops(t *testing.T) {
	t.Parallel()
	const wait = `echo $$ >"$DIR/pid"; while :; do sleep 0.01; done`
	for name, test := range map[string]struct {
		script string
		killed bool
	}{
		"at SIGTERM":              {`trap 'echo bye >"$DIR/bye"; exit 0' TERM; ` + wait, false},
		"killed after a time-out": {`trap '' TERM; ` + wait, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if test.killed {
				timeout = 100 * time.Millisecond
			}
			dir, stop := runShell(t, test.script, timeout)
			servertest.Eventually(t, 10*time.Second, "it runs", func() bool {
				return strings.HasSuffix(read(t, filepath.Join(dir, "pid")), "\n")
			})
			err := stop()
			if test.killed != (err != nil && strings.Contains(err.Error(), "killed")) {
				t.Errorf("error %v", err)
			}
			if bye := read(t, filepath.Join(dir, "bye")); test.killed == (bye != "") {
				t.Errorf("its last words: %q", bye)
			}
			if pid := strings.TrimSpace(read(t, filepath.Join(dir, "pid"))); running(pid) {
				t.Errorf("process %s still runs", pid)
			}
		})
	}
}

func TestProcessThatIsNotThere(t *testing.T) {
	t.Parallel()
	process := devserver.Process{Name: "nothing", Path: filepath.Join(t.TempDir(), "nothing"), Log: testLogger(t)}
	if err := process.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v", err)
	}
}

func testLogger(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// read returns what is in a file, or nothing when it is not there.
func read(t *testing.T, path string) string {
	t.Helper()
	if !exists(t, path) {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
