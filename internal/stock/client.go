package stock

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Connection says how Redis is reached.
type Connection struct {
	Addrs    []string // one: a server; several: a cluster
	Password string
	TLS      bool
	Conns    int           // connections per server
	Timeout  time.Duration // of a read, a write, a dial or the wait for a free connection; 0: 1 s
	Lease    *Lease        // may be nil
}

// Connect returns a client with the settings of the booking path; it does not dial yet. Nothing is sent twice by the
// client itself: a command that timed out may have run, and only its caller knows what that means. (A cluster client may follow
// a redirection with the same command, and repeat one whose connection broke: every script may be repeated.)
func Connect(c Connection) redis.UniversalClient {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = time.Second
	}
	options := &redis.UniversalOptions{
		Addrs: c.Addrs, Password: c.Password, IsClusterMode: len(c.Addrs) > 1,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		PoolSize: c.Conns, PipelinePoolSize: -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if c.TLS {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	client := redis.NewUniversalClient(options)
	if c.Lease != nil {
		client.AddHook(c.Lease)
	}
	return client
}

// ErrServerSettings says that a server is set such that it could lose what was sold.
var ErrServerSettings = errors.New("redis is not set as required (NETICKET_REDIS_UNSAFE=true starts all the same)")

// CheckServer returns an ErrServerSettings that names each setting of a server that could lose what was sold: an eviction policy
// other than noeviction, or no append-only file.
func CheckServer(ctx context.Context, client redis.UniversalClient) error {
	return eachMaster(ctx, client, func(ctx context.Context, node *redis.Client) error {
		// INFO, not CONFIG GET: managed servers refuse the latter.
		memory, err := info(ctx, node, "memory")
		if err != nil {
			return err
		}
		persistence, err := info(ctx, node, "persistence")
		if err != nil {
			return err
		}
		if err := errors.Join(evictionFault(memory), aofFault(persistence)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrServerSettings, node.Options().Addr, err)
		}
		return nil
	})
}

// evictionFault returns what is wrong with a server's memory by its INFO.
func evictionFault(info map[string]string) error {
	if policy := info["maxmemory_policy"]; policy != "noeviction" {
		return fmt.Errorf("maxmemory-policy is %q and must be noeviction: evicted keys are lost sales", policy)
	}
	return nil
}

// aofFault returns what is wrong with a server's persistence by its INFO.
func aofFault(info map[string]string) error {
	if info["aof_enabled"] != "1" {
		return errors.New("appendonly must be yes: without it a restart forgets every pending booking")
	}
	return nil
}

// eachMaster calls do with the client of each server that takes writes.
func eachMaster(ctx context.Context, client redis.UniversalClient, do func(context.Context, *redis.Client) error) error {
	switch c := client.(type) {
	case *redis.Client:
		return do(ctx, c)
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, do)
	}
	return fmt.Errorf("unknown kind of Redis client %T", client)
}

// masterOf returns the client of the server that holds a key.
func masterOf(ctx context.Context, client redis.UniversalClient, key string) (*redis.Client, error) {
	switch c := client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, key)
	}
	return nil, fmt.Errorf("unknown kind of Redis client %T", client)
}

// infoer is a client or a single connection.
type infoer interface {
	Info(ctx context.Context, sections ...string) *redis.StringCmd
}

// info returns one section of INFO as a map.
func info(ctx context.Context, server infoer, section string) (map[string]string, error) {
	text, err := server.Info(ctx, section).Result()
	if err != nil {
		return nil, fmt.Errorf("read INFO %s: %w", section, err)
	}
	return fieldsOf(text), nil
}

// fieldsOf takes the lines of an INFO apart.
func fieldsOf(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}
