package stock_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stock"
)

func TestCheckServer(t *testing.T) {
	t.Parallel()
	const policy, aof = "maxmemory-policy", "appendonly"
	for name, test := range map[string]struct {
		args []string
		want []string // settings that the error names
	}{
		"as required": {},
		"evicting":    {[]string{"--maxmemory-policy", "allkeys-lru"}, []string{policy}},
		"volatile":    {[]string{"--maxmemory-policy", "volatile-ttl"}, []string{policy}},
		"no AOF":      {[]string{"--appendonly", "no"}, []string{aof}},
		"both":        {[]string{"--maxmemory-policy", "allkeys-lru", "--appendonly", "no"}, []string{policy, aof}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := servertest.Redis(t, func(o *devserver.RedisOptions) { o.ExtraArgs = test.args })
			err := stock.CheckServer(t.Context(), servertest.Client(t, server))
			if errors.Is(err, stock.ErrServerSettings) != (len(test.want) > 0) {
				t.Fatalf("got %v, want it to name %v", err, test.want)
			}
			for _, setting := range []string{policy, aof} {
				named := err != nil && strings.Contains(err.Error(), setting+" ")
				if wanted := strings.Contains(strings.Join(test.want, ","), setting); named != wanted {
					t.Errorf("%q; names %s: %v, want %v", err, setting, named, wanted)
				}
			}
		})
	}
}

func TestCheckServerThatIsAway(t *testing.T) {
	t.Parallel()
	server := servertest.Redis(t)
	client := servertest.Client(t, server)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := stock.CheckServer(t.Context(), client); err == nil || errors.Is(err, stock.ErrServerSettings) {
		t.Errorf("got %v; want an error that is not about settings", err)
	}
}
