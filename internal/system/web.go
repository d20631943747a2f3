package system

import (
	"context"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/ops"
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/web"
)

// drainFor is how long a stopping API still takes requests.
const drainFor = 2 * time.Second

// OpenWeb returns the HTTP server of an API, not listening yet, and the parts that it needs running. It reads whose tokens are
// revoked, as none of those may be let in for even a moment. Images are kept in bucket; onDrain is called when the server begins
// to stop.
func (s *System) OpenWeb(ctx context.Context, bucket images.Bucket, onDrain func()) (*web.Server, Stages, error) {
	tokens, err := account.NewSigner(s.Config.TokenSecrets, account.TokenLife, time.Now)
	if err != nil {
		return nil, nil, err
	}
	accounts := account.New(s.DB, s.Log, time.Now)
	if err := accounts.Revocations.Refresh(ctx); err != nil {
		return nil, nil, err
	}
	f := s.OpenFront()
	office := s.OpenBackOffice(f)
	server := web.New(web.Dependencies{
		Accounts: accounts, Tokens: tokens, Revocations: accounts.Revocations, Shows: f.Catalogue, Levels: f.Levels,
		BoxOffice: f.BoxOffice, Reservations: f.Lookup, BackOffice: office,
		Images: &Gallery{images.NewStore(bucket), office}, AuditLog: s.AuditLog, DeadLetters: s.OpenDeadLetters(),
	}, web.Options{
		MaxConnections: s.maxConnections(),
		TrustedProxies: s.Config.TrustedProxies, RatePerUser: s.Config.RatePerUser, RatePerAddress: s.Config.RatePerAddress,
		DrainFor: drainFor,
		OnDrain: func() {
			onDrain()
			f.BoxOffice.Close() // requests that wait are answered with what is known
		},
	}, s.Log, s.Registry)
	return server, Stages{
		{server.Run},
		{
			f.Catalogue.Run, f.Levels.Run, accounts.Revocations.Run, s.Guardian.Run,
			func(ctx context.Context) error { return f.Waiters.Run(ctx, s.Redis) },
			func(ctx context.Context) error { <-ctx.Done(); f.Loader.Wait(); return nil },
		},
	}, nil
}

// otherFiles are what an API has open beside its pools and its clients' connections: the ops page, images, logs, what lies between
// the end of one connection and the begin of the next.
const otherFiles = 128

// reservedFiles returns how many files and connections an API keeps for itself.
func (s *System) reservedFiles() int {
	return s.Config.MySQLConns + len(s.Config.RedisAddrs)*(s.Config.RedisConns+blockingConns(s.Shards.Len())+processConns) + otherFiles
}

// maxConnections returns how many clients an API serves at once, and warns if those are fewer than they should be.
func (s *System) maxConnections() int {
	files, err := ops.FileLimit()
	if err != nil {
		s.Log.Warn("the number of connections is not limited", "error", err)
		return s.Config.MaxConnections
	}
	limit, enough := ops.ConnectionLimit(files, s.reservedFiles(), s.Config.MaxConnections)
	if !enough {
		s.Log.Warn("the limit of open files is low: more clients than connections have to wait; raise it (ulimit -n), or set NETICKET_MAX_CONNECTIONS",
			"files", files, "reserved", s.reservedFiles(), "connections", limit, "wanted", s.Config.MaxConnections)
	}
	return limit
}
