package system

import (
	"context"
	"slices"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/diagnosis"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/stock"
)

// examineWithin bounds a look at everything: reading all of 100,000 shows takes a few seconds of it.
const examineWithin = time.Minute

// Examine looks at both servers, their clocks, and what the processes do on them. It changes nothing.
func (s *System) Examine(ctx context.Context) (d diagnosis.Diagnosis) {
	ctx, cancel := context.WithTimeout(ctx, examineWithin)
	defer cancel()
	processes := s.processes(ctx)
	mysql, mysqlUsable := database.Examine(ctx, s.DB, processes*s.Config.MySQLConns)
	d = append(d, mysql...)
	if mysqlUsable {
		d = append(d, stock.ExamineStore(ctx, s.Stock, s.Config.Shards, s.Config.FlushInterval)...)
	}
	redis, redisUsable := stock.ExamineServers(ctx, s.Redis, processes*(s.Config.RedisConns+blockingConns(s.Shards.Len())+processConns))
	d = append(d, redis...)
	d = append(d, s.examineClocks(ctx)...)
	d = append(d, ops.ExamineHost(s.reservedFiles(), s.Config.MaxConnections)...)
	if redisUsable {
		d = append(d, s.Group.Examine(ctx)...)
	}
	if redisUsable && mysqlUsable {
		d = append(d, s.Auditor.Examine(ctx, s.Config.TakeOver)...)
	}
	return d
}

// processConns are the connections to Redis that a process has beside its pools: its guardian and its ear for wake-ups.
const processConns = 2

// processes returns how many processes there are, or should be: one of each kind at least.
func (s *System) processes(ctx context.Context) int {
	const kinds = 3
	guardians, err := s.Ledger.Guardians(ctx)
	if err != nil || len(guardians) == 0 { // a Redis that is away is told elsewhere
		return kinds
	}
	return max(kinds, slices.Max(guardians))
}
