package stock

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Lease is what connections to Redis are held by, those of all clients of a process: when it ends, they are given up at once. After a
// fail-over that left the old server up, they would stay there else, where nothing is sold any more; and while some stay and
// some do not, a resync that speaks to both servers would end on neither.
type Lease struct{ ended atomic.Int64 }

var errLeaseEnded = errors.New("the address may lead to another server by now")

// End gives up the connections that were made before. What was sent over them is answered still.
func (l *Lease) End() { l.ended.Add(1) }

// DialHook implements redis.Hook.
func (l *Lease) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		held := leased{lease: l, since: l.ended.Load()}
		conn, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		held.Conn = conn
		if raw, ok := conn.(syscall.Conn); ok {
			return &leasedRaw{held, raw}, nil
		}
		return &held, nil // TLS
	}
}

// ProcessHook implements redis.Hook.
func (l *Lease) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (l *Lease) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// leased is a connection that sends nothing any more once its lease has ended.
type leased struct {
	net.Conn
	lease *Lease
	since int64
}

func (c *leased) over() bool { return c.lease.ended.Load() != c.since }

func (c *leased) Write(data []byte) (int, error) {
	if c.over() {
		return 0, errLeaseEnded
	}
	return c.Conn.Write(data)
}

// leasedRaw lets go-redis look at the socket before it takes a connection from its pool, and put another in its place.
type leasedRaw struct {
	leased
	raw syscall.Conn
}

// SyscallConn implements syscall.Conn.
func (c *leasedRaw) SyscallConn() (syscall.RawConn, error) {
	if c.over() {
		return nil, errLeaseEnded
	}
	return c.raw.SyscallConn()
}
