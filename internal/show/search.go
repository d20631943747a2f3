package show

import "time"

// Search says which shows are looked for, and from where on.
type Search struct {
	Words Words // all of them, in title or venue; none: every show
	// States reports which states are wanted; nil: all. Here only the time counts, so where Paused or SoldOut is wanted, all shows
	// that are on sale by the time are found.
	States func(State) bool
	Now    time.Time // by Redis's clock
	// What is found comes after this place in the order of start and id.
	StartsAt time.Time
	ID       int64
}

// wanted tells of each phase whether shows in it are found.
func (q *Search) wanted() (wanted [phases]bool) {
	for p := range phases {
		wanted[p] = q.States == nil || q.States(p.state())
	}
	wanted[open] = wanted[open] || q.States(Paused) || q.States(SoldOut)
	return wanted
}
