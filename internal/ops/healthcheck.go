package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Healthcheck asks /readyz of a process on this machine whose ops address is addr (":8081" means 127.0.0.1:8081) and
// returns an error with its answer unless that is 200. ":0" is refused: nobody knows the port.
func Healthcheck(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && port == "0" {
		err = errors.New("a free port cannot be found from outside")
	}
	if err != nil {
		return fmt.Errorf("health check of %s: %w", addr, err)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*checkTimeout) // the checks behind it take one
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("health check of %s: %w", addr, err)
	}
	transport := &http.Transport{DisableKeepAlives: true} // of its own: no proxy of the environment
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer answer.Body.Close() // it was read
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("health check: read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("health check: %s: %s", answer.Status, strings.TrimSpace(string(bytes.ToValidUTF8(body, nil))))
	}
	return nil
}
