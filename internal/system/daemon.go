package system

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/stock"
)

// Part is a long-running part of a process: it blocks until the context ends and it has finished what it had in hand.
type Part func(ctx context.Context) error

// Stages are the parts of a process in the order in which they end: those of a stage run together, and are told to end
// when all parts of the stage before have.
type Stages [][]Part

// Daemon is the main function of a process without arguments: it reads the environment, shows its health, waits for MySQL and
// Redis, runs the parts until SIGINT or SIGTERM, and returns the exit status.
func Daemon(role config.Role, about string, parts func(ctx context.Context, s *System, health *ops.Health) (Stages, error)) int {
	flags := flag.NewFlagSet(string(role), flag.ContinueOnError)
	version := flags.Bool("version", false, "print the version and exit")
	healthcheck := flags.Bool("healthcheck", false, "exit with 0 if the process that listens on NETICKET_OPS_ADDR is ready")
	flags.Usage = func() {
		_, _ = fmt.Fprintf(flags.Output(), "%s: %s\nIt is configured by the environment alone: see docs/configuration.md.\n", role, about)
		flags.PrintDefaults()
	}
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(os.Stderr, "%s: takes no arguments, but got %q\n", role, flags.Args())
		return 2
	case *version:
		build := ops.ReadBuild()
		fmt.Printf("%s %s %s %s\n", role, build.Version, build.Revision, build.Go)
		return 0
	}
	c, err := config.Load(role, os.LookupEnv)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *healthcheck {
		if err := ops.Healthcheck(ctx, c.OpsAddr); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	return run(ctx, c, os.Stderr, parts)
}

func run(ctx context.Context, c config.Config, out io.Writer, parts func(context.Context, *System, *ops.Health) (Stages, error)) int {
	log := ops.NewLogger(out, c.LogLevel, c.LogFormat).With("process", string(c.Role))
	ops.CatchRedisLog(log)
	for _, name := range config.Unknown(os.Environ()) {
		log.Warn("there is no such setting; is it misspelt?", "name", name)
	}
	registry, health := ops.NewRegistry(ops.ReadBuild()), ops.NewHealth()
	page := ops.NewServer(registry, health, log)
	if _, err := page.Listen(ctx, c.OpsAddr); err != nil {
		log.Error("the process cannot start; is the address taken?", "setting", "NETICKET_OPS_ADDR", "error", err)
		return 1
	}
	s, err := Build(c, log, registry)
	if err != nil {
		log.Error("the process cannot start", "error", err)
		return 1
	}
	defer s.Close() // nothing is buffered in the connections
	shown, hide := context.WithCancel(context.WithoutCancel(ctx))
	var pages errgroup.Group
	pages.Go(func() error { return page.Run(shown) })
	collection := ops.TuneGarbageCollection(os.LookupEnv)
	pages.Go(func() error { return collection.Run(shown) })

	err = s.serve(ctx, health, parts)
	hide()
	err = errors.Join(err, pages.Wait())
	switch {
	case err == nil, ctx.Err() != nil && errors.Is(err, context.Canceled):
		log.Info("stopped")
		return 0
	default:
		log.Error("stopped by a fault", "error", err)
		return 1
	}
}

// serve waits for the servers, then runs the parts.
func (s *System) serve(ctx context.Context, health *ops.Health, parts func(context.Context, *System, *ops.Health) (Stages, error)) error {
	// An API goes on taking bookings while MySQL is away.
	health.AddCheck("mysql", s.Config.Role != config.API, s.DB.PingContext)
	health.AddCheck("redis", true, s.pingRedis)
	if err := s.Check(ctx, health); err != nil {
		return err
	}
	stages, err := parts(ctx, s, health)
	if err != nil {
		return err
	}
	health.SetReady()
	s.Log.Info("ready", "instance", s.Instance)
	stopping := context.AfterFunc(ctx, health.SetStopping)
	defer stopping()
	return runStages(ctx, stages)
}

func (s *System) pingRedis(ctx context.Context) error { return s.Redis.Ping(ctx).Err() }

// Check waits until MySQL and Redis answer and the schema is there, then checks that they are what the deployment needs.
func (s *System) Check(ctx context.Context, health *ops.Health) error {
	wait := func(name string, check func(context.Context) error) error {
		return ops.WaitFor(ctx, s.Log, s.Config.StartTimeout, name, check, health)
	}
	if err := wait("mysql", s.DB.PingContext); err != nil {
		return err
	}
	if err := wait("the schema in mysql", func(ctx context.Context) error { return database.CheckSchema(ctx, s.DB) }); err != nil {
		return err
	}
	if err := s.Stock.FixShards(ctx, s.Config.Shards); err != nil {
		return err
	}
	if err := wait("redis", s.pingRedis); err != nil {
		return err
	}
	err := stock.CheckServer(ctx, s.Redis)
	if errors.Is(err, stock.ErrServerSettings) && s.Config.RedisUnsafe {
		s.Log.Warn("sales may be lost: Redis is not set as required, and NETICKET_REDIS_UNSAFE starts all the same", "error", err)
		return nil
	}
	return err
}

// runStages runs all parts, and ends them stage by stage when the context ends or a part fails.
func runStages(ctx context.Context, stages Stages) error {
	ctx, failed := context.WithCancel(ctx)
	defer failed()
	running := make([]*errgroup.Group, len(stages))
	stops := make([]context.CancelFunc, len(stages))
	for i, parts := range stages {
		stage, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		running[i], stops[i] = &errgroup.Group{}, stop
		for _, part := range parts {
			running[i].Go(func() error {
				defer failed() // a part that ends takes the process with it
				return part(stage)
			})
		}
	}
	<-ctx.Done()
	var err error
	for i := range stages {
		stops[i]()
		err = errors.Join(err, running[i].Wait())
	}
	return err
}
