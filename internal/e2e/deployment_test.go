// Package e2e tests whole systems: the real programs as processes, on a real Redis and a real MariaDB, spoken to over HTTP.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

const secret = "a secret of thirty-two bytes for tests"

// programs builds the programs once for all tests of this process, into a folder that the system's temporary folder owns. Each
// checkout has its own: another's tests must not start what was built from this one.
var programs = sync.OnceValues(func() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("neticket-e2e-%d-%08x", os.Getuid(), crc32.ChecksumIEEE([]byte(here))))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	const cmd = "github.com/neticket/neticket/cmd/"
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), cmd+"api", cmd+"worker", cmd+"flusher", cmd+"neticket")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return dir, nil
})

// deployment is the processes of a system on servers of the test's own.
type deployment struct {
	*systemtest.Rig // the test's own view of the same servers
	servers         systemtest.Servers
	env             []string
	url             string // of the API that started last
}

// deploy starts the servers; extra are settings such as "NETICKET_FLUSH_INTERVAL=2s".
func deploy(t *testing.T, extra ...string) *deployment {
	t.Helper()
	return deployOn(t, systemtest.Servers{DSN: servertest.MySQL(t), Redis: servertest.Redis(t)}, extra...)
}

func deployOn(t *testing.T, servers systemtest.Servers, extra ...string) *deployment {
	t.Helper()
	d := &deployment{Rig: systemtest.Unguarded(t, servers), servers: servers}
	d.env = append(os.Environ(), append([]string{
		"NETICKET_MYSQL_DSN=" + servers.DSN, "NETICKET_REDIS_ADDRS=" + servers.Redis.Addr(), "NETICKET_TOKEN_SECRET=" + secret,
		"NETICKET_RATE_PER_USER=0", "NETICKET_RATE_PER_ADDRESS=0", "NETICKET_LOG_FORMAT=text",
		"NETICKET_IMAGES_URL=" + t.TempDir(),
	}, extra...)...)
	return d
}

// process is a running program.
type process struct {
	*devserver.Program
	name string
	ops  string // its ops page
	url  string // of an API
	log  *tail
}

// start runs a program until the test ends and returns when it is ready.
func (d *deployment) start(t *testing.T, name string, extra ...string) *process {
	t.Helper()
	p := d.launch(t, name, extra...)
	p.ready(t)
	return p
}

// ready returns when the process is ready.
func (p *process) ready(t *testing.T) {
	t.Helper()
	servertest.Eventually(t, 20*time.Second, p.name+" is ready", func() bool { return status(t, p.ops+"/readyz") == http.StatusOK })
}

// launch runs a program until the test ends, and does not wait for anything.
func (d *deployment) launch(t *testing.T, name string, extra ...string) *process {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: name, ops: "http://" + freeAddr(t), log: &tail{}}
	cmd := exec.Command(filepath.Join(dir, name))
	cmd.Env = append(d.env, "NETICKET_OPS_ADDR="+strings.TrimPrefix(p.ops, "http://"))
	if name == "api" {
		addr := freeAddr(t)
		p.url = "http://" + addr
		d.url = p.url
		cmd.Env = append(cmd.Env, "NETICKET_HTTP_ADDR="+addr)
	}
	cmd.Env = append(cmd.Env, extra...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if p.Program, err = devserver.StartProgram(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Errorf("kill %s: %v", name, err)
		}
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, p.log)
		}
	})
	return p
}

// terminate ends a process as an operator would, and checks that it ends well within the 15 s that it has.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Errorf("%s did not end with status 0 within 15 s: %v", p.name, err)
	}
}

// freeze stops a process where it stands, its connections open, as a machine that hangs does; thaw lets it go on.
func (p *process) freeze(t *testing.T) { p.signal(t, syscall.SIGSTOP) }
func (p *process) thaw(t *testing.T)   { p.signal(t, syscall.SIGCONT) }

func (p *process) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.Signal(signal); err != nil {
		t.Fatalf("send %v to %s: %v", signal, p.name, err)
	}
}

// token returns a token for a user id; the account need not exist, as tokens are proof enough for bookings.
func token(t testing.TB, user int64) string {
	t.Helper()
	signer, err := account.NewSigner([][]byte{[]byte(secret)}, time.Hour, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := signer.Issue(account.User{ID: user, Role: account.Customer})
	return text
}

// freeAddr returns a loopback address that nothing listens on.
func freeAddr(t testing.TB) string {
	t.Helper()
	port, err := devserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
}

func status(t testing.TB, url string) int {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// tail keeps the end of what a process says.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > 1<<16 {
		l.buf.Next(l.buf.Len() / 2)
	}
	return l.buf.Write(p)
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// adminToken returns a token of an admin.
func adminToken(t testing.TB) string {
	t.Helper()
	signer, err := account.NewSigner([][]byte{[]byte(secret)}, time.Hour, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := signer.Issue(account.User{ID: 1_000_000, Role: account.Admin})
	return text
}
