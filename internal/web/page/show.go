package page

import "time"

// Show is a show as pages tell of it.
type Show struct {
	ID                    int64
	Title, Venue          string
	Description           string
	Price                 int64  // won
	Image                 string // address; empty: its poster is drawn
	Alt                   string
	Zone                  string // where it takes place; times are told in it
	Starts, Opens, Closes time.Time
	Capacity, Left, Limit int    // limit 0: none
	State                 string // as the API spells it
}

// states are those of a show, as the API spells them.
func states() []string {
	return []string{"on_sale", "upcoming", "sold_out", "paused", "closed", "ended"}
}

// Home is what can be booked, nearest first, and what opens soon.
type Home struct {
	Shows []Show
	Next  string // cursor; empty: this is the last page
	Later bool   // this is not the first page
	Soon  []Show
}

// Search is what a search has found.
type Search struct {
	Words  string // as they were typed
	Found  int    // in all pages
	Shows  []Show
	Next   string
	Faults []string
}

// Detail is one show and the form that books it.
type Detail struct {
	Show    Show
	Key     string // of the request: the same form sent twice is one booking
	Units   string // as they were typed
	Most    int    // units that one booking may have
	Faults  []string
	TooMany bool   // the faults are of the units
	Earlier string // address of the reservation that the key was used for
	Refresh int    // seconds after which a browser without scripts looks again; 0: never
}

// Problem is a page in place of the one that was asked for.
type Problem struct {
	Title, Detail string
	Faults        []string
	Again         int    // seconds after which to try again; 0: not said
	WayOn         string // where to go
	WayOnText     string
	RequestID     string
}
