package show

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"time"
	"unique"
)

// snapshot is the content of the catalogue at one time; it never changes.
type snapshot struct {
	byID    map[int64]*listed
	byStart []*listed
	times   []times // of byStart: to look for a state here takes a tenth of going from show to show
	index   index   // of byStart
}

// listed is a show with what a search looks into. Snapshots share it until the show changes, so that a text is folded once.
type listed struct {
	Show
	words []unique.Handle[string]
}

// with returns s with shows added or replaced: s itself if it holds them already, as it mostly does because refreshes
// overlap. A nil snapshot is empty.
func (s *snapshot) with(shows []Show) *snapshot {
	if s == nil {
		s = &snapshot{}
	}
	changed := s.list(shows)
	for id, l := range changed {
		if s.byID[id] == l {
			delete(changed, id)
		}
	}
	if len(changed) == 0 && s.byID != nil {
		return s
	}
	next := &snapshot{byID: make(map[int64]*listed, len(s.byID)+len(changed)), byStart: make([]*listed, 0, len(s.byID)+len(changed))}
	// Two sorted lists are merged: with 100,000 shows that takes a tenth of sorting them all.
	added := make([]*listed, 0, len(changed))
	for _, l := range changed {
		added = append(added, l)
	}
	slices.SortFunc(added, byStart)
	for _, old := range s.byStart {
		if changed[old.ID] != nil {
			continue
		}
		for len(added) > 0 && byStart(added[0], old) < 0 {
			next.byStart, added = append(next.byStart, added[0]), added[1:]
		}
		next.byStart = append(next.byStart, old)
	}
	next.byStart = append(next.byStart, added...)
	for _, l := range next.byStart {
		next.byID[l.ID] = l
	}
	return next.prepared()
}

// only returns a snapshot of these shows alone.
func (s *snapshot) only(shows []Show) *snapshot {
	if s == nil {
		s = &snapshot{}
	}
	next := &snapshot{byID: s.list(shows)}
	for _, l := range next.byID {
		next.byStart = append(next.byStart, l)
	}
	slices.SortFunc(next.byStart, byStart)
	return next.prepared()
}

// list returns the shows by id, those that have not changed as s has them.
func (s *snapshot) list(shows []Show) map[int64]*listed {
	byID := make(map[int64]*listed, len(shows))
	for i := range shows {
		l, ok := s.byID[shows[i].ID]
		if !ok || l.Show != shows[i] {
			l = &listed{shows[i], foldedWords(&shows[i])}
		}
		byID[l.ID] = l
	}
	return byID
}

// prepared returns a new snapshot with what its searches need.
func (s *snapshot) prepared() *snapshot {
	s.times = make([]times, len(s.byStart))
	for i, l := range s.byStart {
		s.times[i] = timesOf(&l.Show)
	}
	s.index = newIndex(s.byStart)
	return s
}

// find yields the shows that a search asks for.
func (s *snapshot) find(q Search) iter.Seq[*Show] {
	first := sort.Search(len(s.byStart), func(i int) bool { return compare(&s.byStart[i].Show, q.StartsAt, q.ID) > 0 })
	wanted, now := q.wanted(), q.Now.UnixMilli()
	return func(yield func(*Show) bool) {
		for i := range s.holding(q.Words, first) {
			if wanted[s.times[i].phase(now)] && !yield(&s.byStart[i].Show) {
				return
			}
		}
	}
}

// holding yields the places of the shows that hold the words, from one on.
func (s *snapshot) holding(words Words, first int) iter.Seq[int] {
	if len(words) > 0 {
		return s.index.holding(words, first)
	}
	return func(yield func(int) bool) {
		for i := first; i < len(s.byStart) && yield(i); i++ {
		}
	}
}

func byStart(a, b *listed) int { return compare(&a.Show, b.StartsAt, b.ID) }

func compare(s *Show, startsAt time.Time, id int64) int {
	return cmp.Or(s.StartsAt.Compare(startsAt), cmp.Compare(s.ID, id))
}
