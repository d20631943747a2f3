// Command neticket is the operator's tool: `neticket --help` tells what it does. Like the three daemons it is configured by the
// environment; results go to standard output, logs and errors to standard error.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // shows have time zones; the host may have none installed
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second signal ends the process at once
	os.Exit(tool{environ: os.Environ(), dev: devDir, in: os.Stdin, out: os.Stdout, logs: os.Stderr}.run(ctx, os.Args[1:]))
}
