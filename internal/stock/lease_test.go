package stock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// When a lease ends, nothing more is sent over the old connections, no request fails for it, and what was sent is answered.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	old, moved := servertest.Redis(t), servertest.Redis(t)
	address := systemtest.NewProxy(t, old.Addr())
	lease := &stock.Lease{}
	client := stock.Connect(stock.Connection{Addrs: []string{address.Addr()}, Conns: 4, Lease: lease, Timeout: 5 * time.Second})
	defer client.Close()
	at := func(want string) {
		t.Helper()
		if got, err := client.Get(t.Context(), "name").Result(); err != nil || got != want {
			t.Errorf("at %q, %v; want %s", got, err, want)
		}
	}
	direct := servertest.Client(t, old)
	direct.Set(t.Context(), "name", "old", 0)
	servertest.Client(t, moved).Set(t.Context(), "name", "moved", 0)
	at("old")
	waits := make(chan string, 1)
	go func() { waits <- client.BLPop(t.Context(), 4*time.Second, "list").Val()[1] }()
	servertest.Eventually(t, 5*time.Second, "it waits at the old server", func() bool {
		return strings.Contains(direct.Info(t.Context(), "clients").Val(), "blocked_clients:1")
	})
	at("old") // over another connection
	address.Move(moved.Addr())
	at("old") // that stays
	lease.End()
	at("moved")
	if err := direct.RPush(t.Context(), "list", "answer").Err(); err != nil {
		t.Fatal(err)
	}
	if got := <-waits; got != "answer" {
		t.Errorf("what was under way was answered %q", got)
	}
	at("moved")
}
