package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/loadgen"
	"github.com/neticket/neticket/internal/rush"
	"github.com/neticket/neticket/internal/system"
)

const (
	maxBuyers   = 100_000
	maxCapacity = 1_000_000
	maxOver     = 10 * time.Minute
)

func (t tool) rushCommand() *cobra.Command {
	var o rush.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use: "rush --buyers N --capacity N", Short: "Send a crowd of buyers at the running system and check every invariant", Args: cobra.NoArgs,
		Long: `Creates a show with --capacity tickets and --buyers customers. Each customer books one ticket. Bookings are spread evenly over --over
and use connections that are already open, like a browser's. Each is sent when it is due, whether or not earlier ones have been
answered, and its latency counts from that moment. After a 503, a 429 or a lost reply, the buyer sends the same booking again, for up
to 60 s.

The command then waits until everything is recorded and checks every answer and every row: each booked buyer has one ticket, refused
buyers have none, nothing is over capacity, nothing is lost, and Redis and MySQL agree. If an invariant is broken, it exits with 1.

Next to "neticket dev" it needs no settings. Elsewhere it reads the API's environment, and the API must let a crowd in from a single
address (NETICKET_RATE_PER_ADDRESS=0). Afterwards the show's sale is closed. The show, its customers and their reservations stay.`,
		Example: `  neticket rush --buyers 20000 --capacity 5000
  neticket rush --buyers 20000 --capacity 5000 --kill-worker
  neticket rush --buyers 20000 --capacity 5000 --drop-replies 5`,
		PreRunE: func(*cobra.Command, []string) error { return checkRush(&o) },
		RunE:    doing(func(ctx context.Context) error { return t.rush(ctx, o, asJSON) }),
	}
	f := cmd.Flags()
	f.IntVar(&o.Buyers, "buyers", 0, fmt.Sprintf("how many buyers, 1 to %d", maxBuyers))
	f.IntVar(&o.Capacity, "capacity", 0, fmt.Sprintf("how many tickets, 1 to %d", maxCapacity))
	f.DurationVar(&o.Over, "over", time.Second, "spread the buyers evenly over this time, 10m at most; 0s: all at once")
	f.IntVar(&o.Connections, "connections", 0, "open connections that the buyers share; 0: one each, up to the limit of open files")
	f.BoolVar(&o.KillWorker, "kill-worker", false, "kill a worker process on this machine in the middle of the rush")
	f.IntVar(&o.DropReplies, "drop-replies", 0, "lose the first reply of this percentage of the buyers, 0 to 100")
	f.StringVar(&o.URL, "url", "", "the API as http://host:port; default: NETICKET_HTTP_ADDR on this machine")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// checkRush checks the flags, and fills in the number of connections.
func checkRush(o *rush.Options) error {
	most, err := loadgen.MaxConnections()
	if err != nil {
		return err
	}
	switch {
	case o.Buyers < 1 || o.Buyers > maxBuyers:
		return fmt.Errorf("--buyers must be 1 to %d, not %d", maxBuyers, o.Buyers)
	case o.Capacity < 1 || o.Capacity > maxCapacity:
		return fmt.Errorf("--capacity must be 1 to %d, not %d", maxCapacity, o.Capacity)
	case o.Over < 0 || o.Over > maxOver:
		return fmt.Errorf("--over must be 0s to %v, not %v", maxOver, o.Over)
	case o.DropReplies < 0 || o.DropReplies > 100:
		return fmt.Errorf("--drop-replies must be 0 to 100 percent, not %d", o.DropReplies)
	case o.Connections < 0 || o.Connections > most:
		return fmt.Errorf("--connections must be 0 to %d here, not %d: raise the limit of open files for more (ulimit -n)", most, o.Connections)
	}
	if o.URL != "" {
		if err := rush.CheckURL(o.URL); err != nil {
			return fmt.Errorf("--url: %w", err)
		}
	}
	o.Connections = min(cmp.Or(o.Connections, most), o.Buyers)
	return nil
}

func (t tool) rush(ctx context.Context, o rush.Options, asJSON bool) error {
	screen, live := t.liveLine()
	o.Live = live
	var report rush.Report
	err := t.with(t.environ, func(s *system.System) (err error) {
		if err := checkDeployment(ctx, s); err != nil {
			return err
		}
		o.URL = cmp.Or(o.URL, localURL(s.Config.HTTPAddr))
		report, err = rush.Run(ctx, s, o)
		return err
	})
	screen.clear()
	if err != nil {
		return err
	}
	if asJSON {
		err = t.printJSON(report)
	} else {
		err = t.printRush(report)
	}
	switch {
	case err != nil:
		return err
	case !report.Holds:
		return errBroken
	}
	return nil
}

// localURL turns an address that the API listens on into one of this machine to speak to.
func localURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip, bad := netip.ParseAddr(host); host == "" || bad == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if err != nil {
		return "http://" + addr
	}
	return "http://" + net.JoinHostPort(host, port)
}
