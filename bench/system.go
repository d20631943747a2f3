package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/stock"
)

const stopWithin = 20 * time.Second

// limits are what a bench sets in another way than production does: all requests come from one address, a user books more often
// than a person could, and a closed loop accepts more than is recorded at the same time.
var limits = []string{"NETICKET_RATE_PER_USER=1000000000", "NETICKET_RATE_PER_ADDRESS=1000000000", "NETICKET_MAX_BACKLOG=100000000"}

// system is the servers and programs of one build, all on this machine and of its own.
type system struct {
	build   string // "" for the one that is measured, "baseline" for the one beside it
	dir     string // of servers, logs and requests
	bin     string
	environ []string

	mariadb *devserver.MariaDB
	redis   *devserver.Redis
	client  *redis.Client
	store   store
	shards  stock.Shards

	api, worker, flusher *program
	api2, worker2        *program // nil, but for a while
	stage
}

// newSystem starts the servers, as durable as in production, and brings the schema up. The programs are started by start.
func newSystem(ctx context.Context, build, bin string) (s *system, err error) {
	s = &system{build: build, bin: bin, shards: stock.NewShards(defaultShards)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = tempFolder(); err != nil {
		return nil, err
	}
	if s.redis, err = devserver.StartRedis(ctx, devserver.RedisOptions{Dir: s.file("redis"), Temporary: true}); err != nil {
		return nil, err
	}
	if s.mariadb, err = devserver.StartMariaDB(ctx, devserver.MariaDBOptions{Dir: s.file("mariadb"), Temporary: true}); err != nil {
		return nil, err
	}
	s.client = redis.NewClient(&redis.Options{Addr: s.redis.Addr()})
	if s.store, err = openStore(s.mariadb.DSN("neticket"), 4); err != nil {
		return nil, err
	}
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "NETICKET_") { // the defaults are measured
			s.environ = append(s.environ, setting)
		}
	}
	s.environ = append(s.environ, "NETICKET_MYSQL_DSN="+s.mariadb.DSN("neticket"), "NETICKET_REDIS_ADDRS="+s.redis.Addr(),
		"NETICKET_TOKEN_SECRET="+rand.Text()+rand.Text(), "NETICKET_IMAGES_URL="+s.file("images"))
	s.environ = append(s.environ, limits...)
	_, err = s.neticket(ctx, "migrate")
	return s, err
}

// defaultShards is the default of NETICKET_SHARDS.
const defaultShards = 16

func (s *system) file(name string) string { return filepath.Join(s.dir, name) }

// neticket runs the operator's tool and returns its standard output.
func (s *system) neticket(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "neticket"), args...) //nolint:gosec // our own program
	cmd.Env = s.environ
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("neticket %s: %w\n%s%s", strings.Join(args, " "), err, complaints.String(), out)
	}
	return string(out), nil
}

// start runs worker, flusher and api.
func (s *system) start(ctx context.Context) (err error) {
	if s.worker, err = s.run(ctx, "worker"); err != nil {
		return err
	}
	if s.flusher, err = s.run(ctx, "flusher"); err != nil {
		return err
	}
	s.api, err = s.run(ctx, "api")
	return err
}

// run runs api, worker or flusher, and returns when it is ready.
func (s *system) run(ctx context.Context, name string) (*program, error) {
	addrs, err := freeAddrs(2)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(s.bin, name)) //nolint:gosec,noctx // our own program; it is stopped gently
	cmd.Env = append(slices.Clone(s.environ), "NETICKET_HTTP_ADDR="+addrs[0], "NETICKET_OPS_ADDR="+addrs[1])
	p, err := launch(ctx, s.dir, name, cmd, func(ctx context.Context) error { return ops.Healthcheck(ctx, addrs[1]) })
	if err != nil {
		return nil, err
	}
	p.url, p.ops = "http://"+addrs[0], addrs[1]
	return p, nil
}

// processes are those whose CPU time counts, by the name that figures have.
func (s *system) processes() map[string]int {
	return map[string]int{"api": s.api.PID(), "worker": s.worker.PID(), "flusher": s.flusher.PID(), "redis": s.redis.PID(), "mysql": s.mariadb.PID()}
}

// figure is the name of a figure for this build.
func (s *system) figure(name string) string {
	if s.build != "" {
		return name + "@" + s.build
	}
	return name
}

// close stops the programs, then the servers, and removes what they left. Parts that were never started are left out.
func (s *system) close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	for _, p := range []*program{s.api2, s.api, s.flusher, s.worker2, s.worker} {
		if p == nil {
			continue
		}
		if stopped := p.Stop(ctx); stopped != nil {
			err = errors.Join(err, fmt.Errorf("stop %s: %w", p.name, stopped))
		}
	}
	if s.store.DB != nil {
		err = errors.Join(err, s.store.Close())
	}
	if s.client != nil {
		err = errors.Join(err, s.client.Close())
	}
	if s.mariadb != nil {
		err = errors.Join(err, s.mariadb.Close())
	}
	if s.redis != nil {
		err = errors.Join(err, s.redis.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
