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
		Use: "rush --buyers N --capacity N", Short: "Send a crowd of buyers at the running system, then check that all is right", Args: cobra.NoArgs,
		Long: `Makes a show with so many tickets, and so many customers; each of them books one ticket, within the time of --over, on connections that
are open already, as a browser's are. Buyers arrive when they are due, whether or not others have been answered, and latencies
count from then. Whoever is answered 503 or 429, or loses a reply, sends the same booking again, for 60 s at most.

Then it waits until everything is recorded, and checks every answer and every row: a ticket for everyone who was told "booked", none
for those who were refused, nothing over capacity, nothing lost, Redis and MySQL agree. The exit status is 1 when an invariant is broken.

Next to "neticket dev" it needs no settings. Elsewhere it takes the environment of the API, whose NETICKET_RATE_PER_ADDRESS must let
the crowd in (0: no limit), as all of it comes from one machine. The sale is closed afterwards; the show and its customers stay.`,
		Example: `  neticket rush --buyers 20000 --capacity 5000
  neticket rush --buyers 20000 --capacity 5000 --kill-worker
  neticket rush --buyers 20000 --capacity 5000 --drop-replies 5`,
		PreRunE: func(*cobra.Command, []string) error { return checkRush(&o) },
		RunE:    doing(func(ctx context.Context) error { return t.rush(ctx, o, asJSON) }),
	}
	f := cmd.Flags()
	f.IntVar(&o.Buyers, "buyers", 0, fmt.Sprintf("how many buyers, 1 to %d", maxBuyers))
	f.IntVar(&o.Capacity, "capacity", 0, fmt.Sprintf("how many tickets, 1 to %d", maxCapacity))
	f.DurationVar(&o.Over, "over", time.Second, "the time within which the buyers arrive, evenly; 0s: all at once, at most 10m")
	f.IntVar(&o.Connections, "connections", 0, "how many connections they share; 0: one each, as far as the limit of open files goes")
	f.BoolVar(&o.KillWorker, "kill-worker", false, "kill a worker process of this machine in the middle of it")
	f.IntVar(&o.DropReplies, "drop-replies", 0, "percent of the buyers whose first reply is lost, 0 to 100")
	f.StringVar(&o.URL, "url", "", "the API, if it is not where NETICKET_HTTP_ADDR says on this machine: http://host:port")
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
