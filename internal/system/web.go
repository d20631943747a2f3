package system

import (
	"context"
	"time"

	"github.com/neticket/neticket/internal/account"
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
