// Package system puts the parts together: the same way in every process, in the operator's tool and in tests. It owns nothing
// but the order in which parts begin and end.
package system

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/config"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// group is the consumer group of the streams (design: "Redis: the live ledger").
const group = "recorders"

// System is the parts that more than one process needs.
type System struct {
	Config   config.Config
	Instance string // name of this process, unique
	Log      *slog.Logger
	Registry *prometheus.Registry
	DB       *sql.DB
	Redis    redis.UniversalClient // short time-outs: the booking path
	Blocking redis.UniversalClient // for reads that wait
	Shards   stock.Shards

	Shows    *show.Store
	Stock    *stock.Store
	Ledger   *stock.Ledger
	Auditor  *stock.Auditor
	Resyncer *stock.Resyncer
	Healer   *stock.Healer
	Guardian *stock.Guardian
	Group    *stream.Group
	AuditLog *auditlog.Store
	Reader   *stream.Reader

	alarm *alarm
}

// Build makes the parts. It dials nothing: see Check.
func Build(c config.Config, log *slog.Logger, registry *prometheus.Registry) (*System, error) {
	db, err := database.Open(c.MySQLDSN, c.MySQLConns)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // the rest of the name is unique
	s := &System{
		Config: c, Instance: fmt.Sprintf("%s-%s-%d-%s", c.Role, host, os.Getpid(), strings.ToLower(rand.Text()[:8])),
		Log: log, Registry: registry, DB: db, Shards: stock.NewShards(c.Shards),
		Shows: show.NewStore(db), Stock: stock.NewStore(db), AuditLog: auditlog.NewStore(db),
	}
	connection := stock.Connection{Addrs: c.RedisAddrs, Password: c.RedisPassword, TLS: c.RedisTLS, Conns: c.RedisConns, Lease: &stock.Lease{}}
	s.Redis = stock.Connect(connection)
	connection.Conns = blockingConns(s.Shards.Len())
	s.Blocking = stock.Connect(connection)
	ops.RegisterSQLPool(registry, db)
	ops.RegisterRedisPool(registry, "booking", s.Redis.PoolStats)
	ops.RegisterRedisPool(registry, "blocking", s.Blocking.PoolStats)

	observers := s.Observers(registry)
	s.Ledger = stock.NewLedger(s.Redis, s.Shards, stock.LedgerOptions{MaxBacklog: c.MaxBacklog, MaxWaiting: c.MaxWaiting,
		MaxWait: c.MaxWait, Remember: c.Remember, Group: group, Registry: registry})
	s.Auditor = stock.NewAuditor(s.Ledger, s.Stock)
	s.Guardian = stock.NewGuardian(s.Ledger, s.Stock, log)
	s.Guardian.Lease = connection.Lease

	streams := make([]stream.Shard, s.Shards.Len())
	for i := range streams {
		streams[i] = stream.Shard{Entries: s.Shards.Entries(i), Dead: s.Shards.Dead(i)}
	}
	s.Group = stream.NewGroup(s.Blocking, group, streams)
	// The recorder raises alarms that the healer mends with a resync, which, where no worker lives, has the recorder drain.
	s.alarm = &alarm{log: log, ledger: s.Ledger, stock: s.Stock}
	s.Reader = stream.NewReader(s.Group, s.NewRecorder(registry), stream.Options{Consumer: s.Instance, Batch: c.BatchSize}, log, registry)
	s.Resyncer = stock.NewResyncer(s.Ledger, db, calendar{s.Shows}, booking.NewStore(db), s.Reader, c.TakeOver, observers)
	s.Healer = stock.NewHealer(s.Resyncer, log)
	s.alarm.healer = s.Healer
	return s, nil
}

// blockingConns is the size of the pool for reads that wait: one for each shard, and as many for what does not.
func blockingConns(shards int) int { return 2*shards + 2 }

// Observers returns where the parts of this process tell what they do.
func (s *System) Observers(registry prometheus.Registerer) stock.Observers {
	return stock.Observers{Log: s.Log, Registry: registry}
}

// NewRecorder returns a recorder that raises its alarms here.
func (s *System) NewRecorder(registry prometheus.Registerer) *booking.Recorder {
	return booking.NewRecorder(s.DB, s.Ledger, s.Group, s.alarm, booking.NewWaker(s.Redis, s.Log), s.Observers(registry))
}

// Close ends all connections.
func (s *System) Close() error { return errors.Join(s.Redis.Close(), s.Blocking.Close(), s.DB.Close()) }

// calendar reads sale times from table shows.
type calendar struct{ shows *show.Store }

// SaleTimes implements stock.Calendar.
func (c calendar) SaleTimes(ctx context.Context, id int64) (stock.SaleTimes, error) {
	s, err := c.shows.Get(ctx, id)
	if err != nil {
		return stock.SaleTimes{}, fmt.Errorf("read the sale times of show %d: %w", id, err)
	}
	return saleTimes(s), nil
}

// ChangedSince implements stock.Edits.
func (c calendar) ChangedSince(ctx context.Context, t time.Time) (map[int64]stock.SaleTimes, time.Time, error) {
	shows, asOf, err := c.shows.TimesChangedSince(ctx, t)
	if err != nil {
		return nil, time.Time{}, err
	}
	times := make(map[int64]stock.SaleTimes, len(shows))
	for _, s := range shows {
		times[s.ID] = saleTimes(s)
	}
	return times, asOf, nil
}

// NewWatch returns what looks after stuck shows.
func (s *System) NewWatch() *stock.Watch {
	return stock.NewWatch(s.Ledger, s.Stock, s.Healer, calendar{s.Shows}, s.Log)
}

func saleTimes(s show.Show) stock.SaleTimes {
	return stock.SaleTimes{Version: s.Version, Opens: s.SalesOpenAt, Closes: s.SalesCloseAt, Starts: s.StartsAt}
}

// alarm passes on what the recorder sees to be wrong.
type alarm struct {
	log    *slog.Logger
	healer *stock.Healer
	ledger *stock.Ledger
	stock  *stock.Store
}

// Want implements booking.Alarm.
func (a *alarm) Want(show int64, cause string, epoch int64) { a.healer.Want(show, cause, epoch) }

// Vanished implements booking.Alarm: what a lost stream held is lost, so none of its shows may sell on as if it were not.
func (a *alarm) Vanished(ctx context.Context, shard int) {
	switch shows, err := a.ledger.DistrustLost(ctx, a.stock, shard); {
	case err != nil:
		a.log.Warn("a shard's stream or group is gone, and its shows could not be unloaded; tried again", "shard", shard, "error", err)
	case shows > 0:
		a.log.Warn("a shard's stream or group is gone; its shows are loaded anew at their next request", "shard", shard, "shows", shows)
	}
}
