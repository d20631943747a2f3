package devserver

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Between the choice of a port and the start of the server, somebody else may take the port.
func TestAnotherPortWhereOursWasTaken(t *testing.T) {
	t.Parallel()
	thief, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { thief.Close() })
	taken := thief.Addr().(*net.TCPAddr).Port

	redis, err := newRedis(RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mariadb, err := newMariaDB(t.Context(), MariaDBOptions{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*server{&redis.server, &mariadb.server} {
		t.Cleanup(func() { _ = s.Close() })
		s.port = taken
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Port() == taken {
			t.Errorf("%s says it listens on a port that is taken", s.name)
		}
	}
}

func TestPortsAreOutsideTheRangesOfClients(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Skip("only Linux says so")
	}
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	if lowest := strings.Fields(string(text))[0]; len(lowest) < 5 || lowest <= "31999" {
		t.Skipf("clients use ports from %s here", lowest)
	}
	if port < lowestPort || port > highestPort {
		t.Errorf("port %d", port)
	}
}

func TestFindBinarySaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, err := findBinary("no-such-server")
	if err == nil || !strings.Contains(err.Error(), "scripts/install") {
		t.Errorf("error %v", err)
	}
	if path, err := findBinary("mariadbd"); err != nil || !filepath.IsAbs(path) {
		t.Errorf("mariadbd: %q, %v", path, err)
	}
}
