package booking

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Page is a part of a user's reservations, newest first.
type Page struct {
	Reservations []Reservation
	Next         Position // where the next page begins; zero: this is the last one

	// Partial is why MySQL could not be read: the page has what markers tell, all of it Provisional, and nothing older. nil: it is whole.
	Partial error
}

// List returns at most limit of a user's reservations after a position: those with rows, and those that are not recorded yet.
// Where MySQL cannot be read within 2 s the page is Partial. Errors: ErrUnreadable, where Redis cannot be read.
//
// It reads the markers first, then the rows of the page. Most users have no marker then that neither a row of the page explains nor
// another page can: that takes one statement. What remains is looked up in a second one, each with its show's epoch at one
// instant, so that a reservation that is recorded in between cannot look lost.
func (l *Lookup) List(ctx context.Context, user int64, after Position, limit int) (Page, error) {
	m, err := l.markers(ctx, user)
	if err != nil {
		return Page{}, fmt.Errorf("%w: read markers: %w", ErrUnreadable, err)
	}
	part := section{after: after, limit: limit}
	var list []Reservation
	err = l.gate.read(ctx, markedWithin, func(ctx context.Context) (err error) {
		list, err = l.list(ctx, user, m, part)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return Page{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		page := part.page(m.alone(user, part))
		page.Partial = fmt.Errorf("%w: %w", ErrUnreadable, err)
		return page, nil
	}
	return part.page(list), nil
}

// list returns what is on a page and, where there is one, what follows it, in no order.
func (l *Lookup) list(ctx context.Context, user int64, m markers, part section) ([]Reservation, error) {
	rows, err := l.store.ofUser(ctx, user, part.after, part.limit+1)
	if err != nil {
		return nil, err
	}
	part.end(rows)
	open := m.open(rows, part)
	var more map[uuid.UUID]*Row
	var epochs map[int64]int64
	if shows := m.shows(open, rows); len(shows) > 0 {
		if more, epochs, err = l.store.withEpochs(ctx, m.refs(open), shows); err != nil {
			return nil, err
		}
	}
	list := make([]Reservation, 0, len(rows)+len(open))
	for _, row := range rows {
		list = append(list, asSeen(row, m.cancel(row.ID), epochs[row.Show], m.asOf))
	}
	for _, id := range open {
		row := more[id]
		switch {
		case row == nil:
			marker := m.reserves[id]
			list = append(list, withoutRow(id, user, marker, epochs[marker.Show], m.asOf))
		case part.has(row.Reservation): // recorded in between; else it lies on another page
			list = append(list, asSeen(row, m.cancel(id), epochs[row.Show], m.asOf))
		}
	}
	return list, nil
}

// section is the part of a user's list that is on a page.
type section struct {
	after Position // the last of the page before; zero: it is the first page
	last  Position // nothing behind it can be on this page; zero: no matter how old
	limit int
}

// end notes where the page ends at the latest, by its rows, of which one more was asked for.
func (s *section) end(rows []*Row) {
	if len(rows) > s.limit {
		s.last = rows[s.limit-1].position()
	}
}

// has reports whether a reservation may be on the page.
func (s *section) has(r Reservation) bool {
	at := r.position()
	return (s.after.BookedAt.IsZero() || newestFirst(s.after, at) < 0) && (s.last.BookedAt.IsZero() || newestFirst(at, s.last) < 0)
}

// page sorts a list and cuts off what follows the page.
func (s *section) page(list []Reservation) Page {
	slices.SortFunc(list, func(a, b Reservation) int { return newestFirst(a.position(), b.position()) })
	page := Page{Reservations: list}
	if len(list) > s.limit {
		page.Reservations = list[:s.limit]
		page.Next = list[s.limit-1].position()
	}
	return page
}

func (r Reservation) position() Position { return Position{BookedAt: r.BookedAt, ID: r.ID} }

func newestFirst(a, b Position) int {
	if c := b.BookedAt.Compare(a.BookedAt); c != 0 {
		return c
	}
	return bytes.Compare(b.ID[:], a.ID[:])
}
