package main

import (
	"fmt"
	"path/filepath"
)

// printSummary says where everything is, once it is ready.
func (d *dev) printSummary(httpAddr string, opsAddrs []string, servers *devServers) {
	url, tool := browserURL(httpAddr), shellQuote(filepath.Join(d.programs, "neticket"))
	_, _ = fmt.Fprintf(d.out, `
NETicket is running.

  URL       %s
  Logins    admin@neticket.test     admin-demo-pass
            customer@neticket.test  customer-demo-pass
  Ops       http://%s (api)  http://%s (worker)  http://%s (flusher): /metrics /livez /readyz /debug/pprof
  MySQL     %s
  Redis     %s
  Data      %s
  Tools     set -a; . %s; set +a; %s stock check
            or, in another terminal, in %s: %s rush --buyers 5000 --capacity 1000

Ctrl-C stops all of it.

`, url, opsAddrs[0], opsAddrs[1], opsAddrs[2], servers.mysqlHint(), servers.redisHint(),
		d.dir, shellQuote(d.shellFile()), tool, shellQuote(filepath.Dir(d.dir)), tool)
}
