// Package show is what is on sale: the shows, what an admin may say about one, and the catalogue that answers read requests
// from memory. How many units are left is the stock package's business.
//
// It owns the table shows, and guarantees that a change of it is in every process's catalogue within about a second, and
// that the catalogue goes on serving what it last knew while MySQL is away.
package show

import (
	"errors"
	"time"
)

var (
	// ErrNotFound says that there is no show of that id.
	ErrNotFound = errors.New("no such show")
	// ErrUnavailable says that the catalogue cannot tell: it does not know, and MySQL did not answer.
	ErrUnavailable = errors.New("the shows cannot be read now")
)

// Show is one row of the table. Times are UTC, to the millisecond.
type Show struct {
	ID           int64
	Title        string
	Venue        string
	Description  string
	Image        string // name of the stored image (see package images), or empty
	ImageAlt     string
	Price        int64  // won
	TimeZone     string // IANA name; where the show takes place
	StartsAt     time.Time
	SalesOpenAt  time.Time
	SalesCloseAt time.Time
	Version      int64 // of the sale times; Redis keeps the newest that it has seen
	CreatedAt    time.Time
	UpdatedAt    time.Time // by MySQL's clock, which alone orders changes
}

// State tells why a show can be booked, or not.
type State string

// The first that fits is the state of a show, in this order.
const (
	Ended    State = "ended"  // it has started
	Closed   State = "closed" // the sale is over
	Upcoming State = "upcoming"
	Paused   State = "paused" // a resync holds it
	SoldOut  State = "sold_out"
	OnSale   State = "on_sale"
)

// States returns every state, in the order in which they are tried.
func States() []State { return []State{Ended, Closed, Upcoming, Paused, SoldOut, OnSale} }

// StateOf returns the state of s at now, which has to be Redis's time: it opens and closes the sale.
func StateOf(s Show, now time.Time, paused bool, left int) State {
	times := timesOf(&s)
	phase := times.phase(now.UnixMilli())
	switch {
	case phase != open:
		return phase.state()
	case paused:
		return Paused
	case left <= 0:
		return SoldOut
	}
	return OnSale
}

// times decide about a show's state, in milliseconds since 1970.
type times struct{ opens, closes, starts int64 }

func timesOf(s *Show) times {
	return times{s.SalesOpenAt.UnixMilli(), s.SalesCloseAt.UnixMilli(), s.StartsAt.UnixMilli()}
}

// phase is the state of a show as far as the time tells: one that is open may be paused or sold out.
type phase uint8

const (
	ended phase = iota
	closed
	upcoming
	open
	phases
)

func (p phase) state() State { return [phases]State{Ended, Closed, Upcoming, OnSale}[p] }

func (t *times) phase(now int64) phase {
	switch {
	case now >= t.starts:
		return ended
	case now >= t.closes:
		return closed
	case now < t.opens:
		return upcoming
	}
	return open
}
