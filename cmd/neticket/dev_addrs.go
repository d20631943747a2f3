package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/neticket/neticket/internal/devserver"
)

// devAddrs are addresses to listen on.
type devAddrs struct {
	http string
	ops  [3]string // of api, worker and flusher
}

// chooseAddrs returns where the API listens, as wanted, and where the ops pages do: on their usual ports, or free ones
// where those are taken, for this machine only. All are held at once, so that no two are the same.
func chooseAddrs(wanted string) (addrs devAddrs, err error) {
	listener, err := net.Listen("tcp", wanted)
	if err != nil {
		return addrs, fmt.Errorf("the API cannot listen on NETICKET_HTTP_ADDR=%s, set another, such as :18080: %w", wanted, err)
	}
	defer listener.Close() //nolint:errcheck // nothing was sent
	host, _, err := net.SplitHostPort(wanted)
	if err != nil {
		return addrs, fmt.Errorf("NETICKET_HTTP_ADDR: %w", err)
	}
	// The port that was found, if any was wanted: the person has to be told.
	addrs.http = net.JoinHostPort(host, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	for i, port := range []int{8081, 8082, 8083} {
		listener, err := listenLocal(port)
		if err != nil {
			if port, err = devserver.FreePort(); err == nil {
				listener, err = listenLocal(port)
			}
		}
		if err != nil {
			return addrs, fmt.Errorf("find an address for ops pages: %w", err)
		}
		defer listener.Close() //nolint:errcheck // nothing was sent
		addrs.ops[i] = listener.Addr().String()
	}
	return addrs, nil
}

func listenLocal(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// browserURL turns an address to listen on into one to open.
func browserURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
