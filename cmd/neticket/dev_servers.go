package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/neticket/neticket/internal/devserver"
)

// devServers are the servers that dev started; nil is one that the environment names instead.
type devServers struct {
	mariadb *devserver.MariaDB
	redis   *devserver.Redis
}

// startDevServers starts what the environment does not name, with the data in dir/mysql and dir/redis, on the ports of
// the last run if they are free.
func startDevServers(ctx context.Context, dir string, env environ) (*devServers, error) {
	s := &devServers{}
	group, ctx := errgroup.WithContext(ctx)
	if env.get("NETICKET_MYSQL_DSN") == "" && env.get("NETICKET_MYSQL_DSN_FILE") == "" {
		group.Go(func() error {
			dir := filepath.Join(dir, "mysql")
			server, err := devserver.StartMariaDB(ctx, devserver.MariaDBOptions{Dir: dir, Port: lastPort(dir)})
			if err != nil {
				return err
			}
			s.mariadb = server
			return keepPort(dir, server.Port())
		})
	}
	if env.get("NETICKET_REDIS_ADDRS") == "" {
		group.Go(func() error {
			dir := filepath.Join(dir, "redis")
			server, err := devserver.StartRedis(ctx, devserver.RedisOptions{Dir: dir, Port: lastPort(dir)})
			if err != nil {
				return err
			}
			s.redis = server
			return keepPort(dir, server.Port())
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, s.stop(time.Time{}))
	}
	return s, nil
}

// settings are the variables that lead to the servers.
func (s *devServers) settings() []string {
	var env []string
	if s.mariadb != nil {
		env = append(env, "NETICKET_MYSQL_DSN="+s.mariadb.DSN("neticket"))
	}
	if s.redis != nil {
		// Password and TLS are meant for some other server.
		env = append(env, "NETICKET_REDIS_ADDRS="+s.redis.Addr(),
			"NETICKET_REDIS_PASSWORD=", "NETICKET_REDIS_PASSWORD_FILE=", "NETICKET_REDIS_TLS=")
	}
	return env
}

// keep starts a server again when it dies.
func (s *devServers) keep(ctx context.Context, group *errgroup.Group, log *slog.Logger) {
	if s.mariadb != nil {
		group.Go(func() error { s.mariadb.Keep(ctx, log); return nil })
	}
	if s.redis != nil {
		group.Go(func() error { s.redis.Keep(ctx, log); return nil })
	}
}

// stop stops them cleanly, and kills them at the given time; zero means after the usual time.
func (s *devServers) stop(by time.Time) error {
	if by.IsZero() {
		by = time.Now().Add(devStopTimeout)
	}
	ctx, cancel := context.WithDeadline(context.Background(), by)
	defer cancel()
	var group errgroup.Group
	if s.mariadb != nil {
		group.Go(func() error { return errors.Join(s.mariadb.Stop(ctx), s.mariadb.Close()) })
	}
	if s.redis != nil {
		group.Go(func() error { return errors.Join(s.redis.Stop(ctx), s.redis.Close()) })
	}
	return group.Wait()
}

func (s *devServers) mysqlHint() string {
	if s.mariadb == nil {
		return "as NETICKET_MYSQL_DSN says"
	}
	return fmt.Sprintf("mariadb -h 127.0.0.1 -P %d -u neticket -pneticket neticket", s.mariadb.Port())
}

func (s *devServers) redisHint() string {
	if s.redis == nil {
		return "as NETICKET_REDIS_ADDRS says"
	}
	return fmt.Sprintf("redis-cli -p %d", s.redis.Port())
}

const portFile = "port"

// lastPort is the port of the last run if it is free, else 0: any.
func lastPort(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, portFile))
	if err != nil {
		return 0 // the first run
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || devserver.PortFree(port) != nil {
		return 0
	}
	return port
}

func keepPort(dir string, port int) error {
	if err := os.WriteFile(filepath.Join(dir, portFile), []byte(strconv.Itoa(port)+"\n"), 0o600); err != nil {
		return fmt.Errorf("remember port: %w", err)
	}
	return nil
}
