package system

import (
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// Front is what the API has beside the parts of every process.
type Front struct {
	Catalogue *show.Catalogue
	Levels    *stock.Levels
	Loader    *stock.Loader
	Lookup    *booking.Lookup
	Waiters   *booking.Waiters
	BoxOffice *booking.BoxOffice
}

// OpenFront makes the parts that face customers.
func (s *System) OpenFront() Front {
	f := Front{
		Catalogue: show.NewCatalogue(s.Shows, s.Log),
		Levels:    stock.NewLevels(s.Ledger, s.Stock, s.Log),
		Loader:    stock.NewLoader(s.Resyncer),
		Lookup:    booking.NewLookup(s.Redis, s.Shards, s.DB),
		Waiters:   booking.NewWaiters(s.Instance),
	}
	f.BoxOffice = booking.NewBoxOffice(s.Ledger, f.Loader, f.Lookup, f.Waiters, s.Observers(s.Registry))
	return f
}
