package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/neticket/neticket/internal/devserver"
)

// findHTTPAddr returns where the API listens: as wanted, with the port that was found if any was wanted, because people
// have to be told.
func findHTTPAddr(ctx context.Context, wanted string) (string, error) {
	listener, err := listen(ctx, wanted)
	if err != nil {
		return "", fmt.Errorf("the API cannot listen on NETICKET_HTTP_ADDR=%s, set another, such as :18080: %w", wanted, err)
	}
	defer listener.Close()
	host, _, err := net.SplitHostPort(wanted)
	if err != nil {
		return "", fmt.Errorf("NETICKET_HTTP_ADDR: %w", err)
	}
	return net.JoinHostPort(host, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)), nil
}

// findOpsAddrs returns where ops pages listen, for this machine only: on the wanted ports, or free ones where those are
// taken. Call it shortly before they do. All are held at once, and httpAddr with them, so that no two are the same.
func findOpsAddrs(ctx context.Context, wanted []int, httpAddr string) ([]string, error) {
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	if listener, err := listen(ctx, httpAddr); err == nil { // else the API will complain
		held = append(held, listener)
	}
	var addrs []string
	for _, port := range wanted {
		listener, err := listen(ctx, localAddr(port))
		if err != nil {
			if port, err = devserver.FreePort(); err == nil {
				listener, err = listen(ctx, localAddr(port))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("find an address for ops pages: %w", err)
		}
		held = append(held, listener)
		addrs = append(addrs, listener.Addr().String())
	}
	return addrs, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

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
