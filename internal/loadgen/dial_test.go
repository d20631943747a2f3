package loadgen

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"testing"
)

func TestSources(t *testing.T) {
	t.Parallel()
	sources := func(to string, connections int) string {
		return fmt.Sprint(newDialer(netip.MustParseAddrPort(to), connections).sources)
	}
	many := "[127.0.0.1 127.0.0.2 127.0.0.3]"
	if runtime.GOOS != "linux" {
		many = "[]"
	}
	for _, test := range []struct {
		to          string
		connections int
		want        string
	}{
		{"127.0.0.1:80", 20_000, "[]"},
		{"127.0.0.1:80", 50_000, many},
		{"192.0.2.1:80", 50_000, "[]"},
		{"[::1]:80", 50_000, "[]"},
	} {
		if got := sources(test.to, test.connections); got != test.want {
			t.Errorf("%d connections to %s: sources %s, want %s", test.connections, test.to, got, test.want)
		}
	}
}

// Connections come from each of the addresses.
func TestManyConnectionsHaveManySources(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[host]++
	})
	const requests = 90
	g := generator(t, Options{Addr: addr, Connections: 3 * portsPerSource})
	tally := NewTally(requests)
	err := g.Run(t.Context(), Load{Requests: requests,
		Request:  func(b []byte, _, _ int) Request { return get(b, "/") },
		Answered: func(_, _ int, a Answer) Again { tally.Add(a); return Again{} }})
	if words := tally.Words(); err != nil || words["200"] != requests {
		t.Fatalf("%v, %v", words, err)
	}
	want := 3
	if runtime.GOOS != "linux" {
		want = 1
	}
	if len(seen) != want {
		t.Errorf("connections by source: %v", seen)
	}
}

func TestMaxConnections(t *testing.T) {
	t.Parallel()
	n, err := MaxConnections()
	if err != nil || n < 100 || n >= 1<<20 {
		t.Errorf("%d, %v", n, err)
	}
}
