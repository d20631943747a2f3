package devserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// parentVariable makes the test binary a parent that starts servers and waits to be killed.
const parentVariable = "NETICKET_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) == "" {
		os.Exit(m.Run())
	}
	if err := beParent(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	select {}
}

// beParent starts two servers and prints the pid and folder of each.
func beParent() error {
	redis, err := devserver.StartRedis(context.Background(), devserver.RedisOptions{})
	if err != nil {
		return err
	}
	mariadb, err := devserver.StartMariaDB(context.Background(), devserver.MariaDBOptions{Fast: true})
	if err != nil {
		return err
	}
	fmt.Println(redis.PID(), redis.Dir())
	fmt.Println(mariadb.PID(), mariadb.Dir())
	return nil
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			parent := exec.Command(os.Args[0])
			// A blank in the path of a folder must not matter to the shell.
			parent.Env = append(os.Environ(), parentVariable+"=1", "TMPDIR="+mkdir(t, "a folder"))
			output, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = parent.Wait() })
			lines := bufio.NewScanner(output)
			type left struct{ pid, dir string }
			var all []left
			for len(all) < 2 && lines.Scan() {
				pid, dir, _ := strings.Cut(lines.Text(), " ")
				if !running(pid) {
					t.Errorf("not the pid of a server: %s", lines.Text())
				}
				all = append(all, left{pid, dir})
			}
			if err := parent.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if len(all) != 2 {
				t.Fatal("the parent did not start two servers")
			}
			for _, l := range all {
				servertest.Eventually(t, 10*time.Second, "process "+l.pid+" ends", func() bool { return !running(l.pid) })
				servertest.Eventually(t, 10*time.Second, "folder "+l.dir+" is removed", func() bool { return !exists(t, l.dir) })
			}
		})
	}
}

func TestCloseRemovesTheFolder(t *testing.T) {
	t.Parallel()
	redis, err := devserver.StartRedis(t.Context(), devserver.RedisOptions{Dir: mkdir(t, "given"), Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(redis.PID())
	if err := redis.Close(); err != nil {
		t.Fatal(err)
	}
	if running(pid) || exists(t, redis.Dir()) {
		t.Errorf("left: process %s %v, folder %s %v", pid, running(pid), redis.Dir(), exists(t, redis.Dir()))
	}
}

// running asks ps, since a process that ended under an absent-minded init is still a target of signals.
func running(pid string) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func mkdir(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir() + "/" + name
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
