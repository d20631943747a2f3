package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/ops"
)

const (
	readyWithin = 2 * time.Minute
	readyPoll   = 50 * time.Millisecond
	stopWithin  = 15 * time.Second
)

// rig is the servers and programs of a bench, all on this machine and its own. It ends with this process, however that ends.
type rig struct {
	dir     string // of servers, logs and requests
	bin     string
	environ []string
	mariadb *devserver.MariaDB
	redis   *devserver.Redis
	running []*program
}

// program is a process of the rig.
type program struct {
	*devserver.Program
	name string
	url  string // of api and floor
	ops  string // address of the ops page
	log  string // file
}

// limits are what a bench sets in another way than production does: all requests come from one address.
var limits = []string{"NETICKET_RATE_PER_USER=1000000000", "NETICKET_RATE_PER_ADDRESS=1000000000"}

// newRig starts the servers, as durable as in production, and brings the schema up.
func newRig(ctx context.Context, bin string) (r *rig, err error) {
	r = &rig{bin: bin}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.dir, err = os.MkdirTemp("", "neticket-bench-"); err != nil {
		return r, fmt.Errorf("make a folder for the bench: %w", err)
	}
	server := func(name string) string { return filepath.Join(r.dir, name) }
	if r.redis, err = devserver.StartRedis(ctx, devserver.RedisOptions{Dir: server("redis"), Temporary: true}); err != nil {
		return r, err
	}
	if r.mariadb, err = devserver.StartMariaDB(ctx, devserver.MariaDBOptions{Dir: server("mariadb"), Temporary: true}); err != nil {
		return r, err
	}
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "NETICKET_") { // what is measured are the defaults
			r.environ = append(r.environ, setting)
		}
	}
	r.environ = append(r.environ, "NETICKET_MYSQL_DSN="+r.mariadb.DSN("neticket"), "NETICKET_REDIS_ADDRS="+r.redis.Addr(),
		"NETICKET_TOKEN_SECRET="+rand.Text()+rand.Text(), "NETICKET_IMAGES_URL="+server("images"))
	r.environ = append(r.environ, limits...)
	_, err = r.neticket(ctx, "migrate")
	return r, err
}

// neticket runs the operator's tool and returns what it printed.
func (r *rig) neticket(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "neticket"), args...) //nolint:gosec // our own program
	cmd.Env = r.environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("neticket %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// start runs api, worker or flusher of a folder, and returns when it is ready.
func (r *rig) start(ctx context.Context, folder, name string) (*program, error) {
	addrs, err := freeAddrs(2)
	if err != nil {
		return nil, err
	}
	p := &program{name: name, url: "http://" + addrs[0], ops: addrs[1]}
	cmd := exec.Command(filepath.Join(folder, name)) //nolint:gosec,noctx // our own program; it is stopped gently
	cmd.Env = append(slices.Clone(r.environ), "NETICKET_HTTP_ADDR="+addrs[0], "NETICKET_OPS_ADDR="+p.ops)
	return p, r.launch(ctx, p, cmd, func(ctx context.Context) error { return ops.Healthcheck(ctx, p.ops) })
}

// startFloor runs the floor, which is this very program.
func (r *rig) startFloor(ctx context.Context) (*program, error) {
	addrs, err := freeAddrs(1)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the floor: %w", err)
	}
	p := &program{name: "floor", url: "http://" + addrs[0]}
	cmd := exec.Command(self, "floor", addrs[0]) //nolint:noctx // our own program; it is stopped gently
	return p, r.launch(ctx, p, cmd, func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addrs[0])
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

func (r *rig) launch(ctx context.Context, p *program, cmd *exec.Cmd, ready func(context.Context) error) error {
	log, err := os.CreateTemp(r.dir, p.name+"-*.log")
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.name, err)
	}
	defer log.Close() // the process has its own
	p.log, cmd.Stdout, cmd.Stderr = log.Name(), log, log
	if p.Program, err = devserver.StartProgram(cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	r.running = append(r.running, p)
	if err := eventually(ctx, ready); err != nil {
		said, _ := os.ReadFile(p.log)
		return fmt.Errorf("wait for %s: %w\n%s", p.name, err, said[max(0, len(said)-4<<10):])
	}
	return nil
}

// eventually calls a check until it returns nil, for a while.
func eventually(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(readyPoll):
		}
	}
}

// profile writes what the CPU does for a program in the given time.
func (p *program) profile(ctx context.Context, length time.Duration, file string) error {
	url := "http://" + p.ops + "/debug/pprof/profile?seconds=" + strconv.Itoa(int(length.Seconds()))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile %s: %w", p.name, err)
	}
	defer answer.Body.Close()
	profile, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, profile)
	}
	if err == nil {
		err = os.WriteFile(file, profile, 0o600)
	}
	if err != nil {
		return fmt.Errorf("profile %s: %w", p.name, err)
	}
	return nil
}

// close stops the programs, the last one first, then the servers, and removes what they left.
func (r *rig) close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	for _, p := range slices.Backward(r.running) {
		if p.name == "floor" {
			err = errors.Join(err, p.Kill()) // it has nothing in hand, and nobody told it how to stop
			continue
		}
		if stopped := p.Stop(ctx); stopped != nil {
			err = errors.Join(err, fmt.Errorf("stop %s: %w", p.name, stopped))
		}
	}
	if r.mariadb != nil {
		err = errors.Join(err, r.mariadb.Close())
	}
	if r.redis != nil {
		err = errors.Join(err, r.redis.Close())
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

// freeAddrs returns loopback addresses that nobody listens on.
func freeAddrs(n int) (addrs []string, err error) {
	for len(addrs) < n {
		port, err := devserver.FreePort()
		if err != nil {
			return nil, err
		}
		if addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port)); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs, nil
}
