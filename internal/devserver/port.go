package devserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Our ports are chosen below the ranges that Linux (32768 and up) and macOS (49152 and up) hand out to outgoing
// connections: a port from there might be lost to somebody's client while its server is down between Kill and Start,
// and a client that keeps dialing it might even be connected with itself.
const lowestPort, highestPort = 15000, 31999

// FreePort finds a TCP port that nobody listens on at 127.0.0.1. Somebody may take it before you do.
func FreePort() (int, error) {
	var last error
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1) //nolint:gosec // a port is no secret
		if last = PortFree(port); last == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port from %d to %d: %w", lowestPort, highestPort, last)
}

// PortFree returns nil when a server could listen at 127.0.0.1:port, and else why not.
func PortFree(port int) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", localAddr(port))
	if err != nil {
		return fmt.Errorf("probe port: %w", err)
	}
	if err := listener.Close(); err != nil {
		return fmt.Errorf("probe port: %w", err)
	}
	return nil
}

// errPortTaken says that a server could not listen because somebody else does.
var errPortTaken = errors.New("the port is taken")

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
