package loadgen

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"
)

// portsPerSource is how many connections one source address carries to one server. Linux has 28,232 ports for them
// (ip_local_port_range), and others on this machine need some.
const portsPerSource = 20_000

// dialer opens connections to one address. On Linux every address of 127.0.0.0/8 is this machine's, so more connections to a
// loopback address than it has ports come from several.
type dialer struct {
	to      netip.AddrPort
	sources []netip.Addr // empty: whatever the kernel takes
}

func newDialer(to netip.AddrPort, connections int) dialer {
	d := dialer{to: to}
	if runtime.GOOS != "linux" || !to.Addr().Is4() || !to.Addr().IsLoopback() || connections <= portsPerSource {
		return d
	}
	source := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	for range (connections + portsPerSource - 1) / portsPerSource {
		d.sources = append(d.sources, source)
		source = source.Next()
	}
	return d
}

// dial opens a connection; those of one number come from one address.
func (d dialer) dial(ctx context.Context, number int, deadline time.Time) (*net.TCPConn, error) {
	dialer := net.Dialer{Deadline: deadline, Timeout: dialTimeout, KeepAlive: -1} // whichever is sooner
	if len(d.sources) > 0 {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.sources[number%len(d.sources)], 0))
	}
	conn, err := dialer.DialContext(ctx, "tcp", d.to.String())
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	// Closed with a reset, a connection leaves no port behind for a minute (TIME_WAIT); nothing is under way by then.
	if err := tcp.SetLinger(0); err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	return tcp, nil
}

// MaxConnections raises the soft limit of open files to the hard one and returns how many connections this process may open: a
// tenth is left for everything else. On one machine the server has the same limit, and as much need.
func MaxConnections() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	if limit.Cur < limit.Max {
		raised := syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err == nil { // macOS refuses "unlimited"
			limit = raised
		}
	}
	const most = 1 << 20
	files := int(min(limit.Cur, most))
	return files - files/10, nil
}
