package devserver_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

func TestRedisKeepsDataFromStartToStart(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*devserver.Redis) error{
		"stop": func(r *devserver.Redis) error { return r.Stop(t.Context()) },
		"kill": (*devserver.Redis).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := servertest.Redis(t)
			client := servertest.Client(t, server)
			if err := client.Set(t.Context(), "key", "value", 0).Err(); err != nil {
				t.Fatal(err)
			}
			addr, pid := server.Addr(), server.PID()
			if err := end(server); err != nil {
				t.Fatal(err)
			}
			select {
			case <-server.Done():
			default:
				t.Error("not done, although it has ended")
			}
			if err := client.Ping(t.Context()).Err(); err == nil {
				t.Error("it still answers")
			}
			if err := server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if server.Addr() != addr || server.PID() == pid {
				t.Errorf("now %s, process %d; was %s, process %d", server.Addr(), server.PID(), addr, pid)
			}
			servertest.Eventually(t, 5*time.Second, "the key is there", func() bool {
				value, err := client.Get(t.Context(), "key").Result()
				return err == nil && value == "value"
			})
		})
	}
}

func TestRedisPause(t *testing.T) {
	t.Parallel()
	server := servertest.Redis(t)
	client := servertest.Client(t, server)
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client.Ping(ctx).Err(); err == nil {
		t.Error("a paused server answers")
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("stop of a paused server: %v", err)
	}
}

func TestRedisErrors(t *testing.T) {
	t.Parallel()
	running := servertest.Redis(t)
	for name, test := range map[string]struct {
		options devserver.RedisOptions
		want    string
	}{
		"given port is taken": {devserver.RedisOptions{Port: running.Port()}, "the port is taken"},
		"end of the log":      {devserver.RedisOptions{ExtraArgs: []string{"--no-such-option", "1"}}, "no-such-option"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := devserver.StartRedis(t.Context(), test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	t.Run("running", func(t *testing.T) {
		t.Parallel()
		if err := running.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "running") {
			t.Errorf("start of a running server: %v", err)
		}
	})
}

func TestRedisStartObeysItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := devserver.StartRedis(ctx, devserver.RedisOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	server := servertest.Redis(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Keep(ctx, testLogger(t))
	}()
	client := servertest.Client(t, server)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, 10*time.Second, "it is started again", func() bool {
		return client.Ping(t.Context()).Err() == nil
	})
	cancel()
	<-done
}
