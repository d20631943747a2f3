package devserver

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// RedisOptions says how to run a redis-server. The zero value is good: a temporary server on a free port.
type RedisOptions struct {
	Dir         string   // folder of the data; empty: a new temporary one
	Temporary   bool     // Dir is removed by Close, or when this process ends
	Port        int      // at 127.0.0.1; 0: a free one
	AppendFsync string   // "everysec" (the default), "always" or "no"
	ExtraArgs   []string // added to the command line, where the last one of a kind wins
}

// Redis is a redis-server with AOF on, snapshots off and no eviction, as production is required to be.
type Redis struct{ server }

// StartRedis starts a redis-server and waits until it answers and has loaded its data: as long as ctx allows, 60
// seconds at most. ctx bounds the start, not the life of the server. The error holds the end of the server's log, or is
// ErrNotInstalled.
func StartRedis(ctx context.Context, options RedisOptions) (*Redis, error) {
	r, err := newRedis(options)
	if err != nil {
		return nil, err
	}
	if err := r.Start(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func newRedis(options RedisOptions) (*Redis, error) {
	binary, err := findBinary("redis-server")
	if err != nil {
		return nil, err
	}
	r := &Redis{server{name: "redis-server", port: options.Port, given: options.Port != 0, ready: redisReady}}
	r.command = func(port int) *exec.Cmd {
		args := []string{
			"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", r.dir,
			"--save", "", "--appendonly", "yes", "--appendfsync", cmp.Or(options.AppendFsync, "everysec"),
			"--maxmemory-policy", "noeviction",
		}
		return exec.Command(binary, append(args, options.ExtraArgs...)...) //nolint:gosec,noctx // found by us, ended by us
	}
	if err := r.prepareDir(options.Dir, options.Temporary); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	return r, nil
}

// redisReady asks by hand instead of with a client, which would log each refused connection.
func redisReady(ctx context.Context, port, pid int) error {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", localAddr(port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "INFO\r\n"); err != nil {
		return err
	}
	reader := bufio.NewReader(conn)
	header, err := reader.ReadString('\n')
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(header, "$")))
	if err != nil {
		return fmt.Errorf("redis-server answered %q", header)
	}
	info := make([]byte, length)
	if _, err := io.ReadFull(reader, info); err != nil {
		return err
	}
	// INFO is answered while data is still being loaded, and by any other server on this port.
	for _, want := range []string{"process_id:" + strconv.Itoa(pid), "loading:0"} {
		if !strings.Contains(string(info), "\r\n"+want+"\r\n") {
			return fmt.Errorf("redis-server does not say %s", want)
		}
	}
	return nil
}
