package page

import (
	"slices"
	"strconv"
	"time"
)

// Reservation is one as pages tell of it to its owner.
type Reservation struct {
	ID, Number     string
	Show           Show // without what is left of it
	Units          int
	Total          int64  // won
	Status, Reason string // as the API spells them
	BookedAt       time.Time
	Cancellable    bool
	Started        bool // the show has
	Provisional    bool // MySQL could not be read: only that it was accepted is known
}

// State is what a page says of the reservation: its status, unless that is a mere guess.
func (r Reservation) State() string {
	if r.Provisional && r.Status == "pending" {
		return "provisional"
	}
	return r.Status
}

// ReservationPath is the address of a reservation's page. All links to one are made here.
func ReservationPath(show int64, id string) string {
	return "/shows/" + strconv.FormatInt(show, 10) + "/reservations/" + id
}

// Path is the address of the reservation's page.
func (r Reservation) Path() string { return ReservationPath(r.Show.ID, r.ID) }

// API is where the interface has the reservation: a page follows it there until it is settled.
func (r Reservation) API() string { return "/api/v1" + r.Path() }

// Settled tells whether a reservation stays as it is, unless its owner does something.
func (r Reservation) Settled() bool { return r.Status != "pending" && r.Status != "cancelling" }

// Mine is a person's reservations.
type Mine struct {
	Upcoming []Reservation // those that wait for their number first, then nearest first
	Past     []Reservation // latest first
	Void     []Reservation // cancelled and rejected, booked last first
	Next     string        // cursor; empty: this is the last page
	Later    bool          // this is not the first page
	Email    string        // of the person; empty: not known
	Partial  bool          // MySQL could not be read: older ones are missing, and of all others the outcome is not known
}

// Awaited returns the first reservation that is not settled, or nil. Of a show that has started it may be a cancel.
func (m *Mine) Awaited() *Reservation {
	for _, list := range [][]Reservation{m.Upcoming, m.Past} {
		for i := range list {
			if !list[i].Settled() {
				return &list[i]
			}
		}
	}
	return nil
}

// Add puts a reservation where it belongs.
func (m *Mine) Add(r Reservation) {
	switch {
	case r.Status == "cancelled" || r.Status == "rejected":
		m.Void = append(m.Void, r)
	case r.Status == "pending" || !r.Started:
		m.Upcoming = append(m.Upcoming, r)
		slices.SortStableFunc(m.Upcoming, func(a, b Reservation) int { return a.soonness().Compare(b.soonness()) })
	default:
		m.Past = append(m.Past, r)
		slices.SortStableFunc(m.Past, func(a, b Reservation) int { return b.Show.Starts.Compare(a.Show.Starts) })
	}
}

// soonness orders what is to come: the show, but nothing before what waits for its number.
func (r Reservation) soonness() time.Time {
	if r.Status == "pending" {
		return time.Time{}
	}
	return r.Show.Starts
}

// Cancel is the question whether to cancel a reservation.
type Cancel struct {
	Reservation
	Fault string // what hindered it
	Again int    // seconds after which to try again; 0: not said
}
