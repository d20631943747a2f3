package show

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// snapshot is the content of the catalogue at one time; it never changes.
type snapshot struct {
	byID    map[int64]*Show
	byStart []*Show
}

// with returns s with shows added or replaced: s itself if it holds them already, as it mostly does because refreshes
// overlap. A nil snapshot is empty.
func (s *snapshot) with(shows []Show) *snapshot {
	if s == nil {
		s = &snapshot{}
	}
	changed := make(map[int64]*Show, len(shows))
	for i := range shows {
		if old, ok := s.byID[shows[i].ID]; !ok || *old != shows[i] {
			changed[shows[i].ID] = &shows[i]
		}
	}
	if len(changed) == 0 && s.byID != nil {
		return s
	}
	next := &snapshot{make(map[int64]*Show, len(s.byID)+len(changed)), make([]*Show, 0, len(s.byID)+len(changed))}
	maps.Copy(next.byID, s.byID)
	maps.Copy(next.byID, changed)
	// Two sorted lists are merged: with 100,000 shows that takes a tenth of sorting them all.
	added := slices.SortedFunc(maps.Values(changed), byStart)
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
	return next
}

func byStart(a, b *Show) int { return Compare(a, b.StartsAt, b.ID) }

// Compare orders s against a place in the list of Catalogue.ByStart: by start, then id.
func Compare(s *Show, startsAt time.Time, id int64) int {
	return cmp.Or(s.StartsAt.Compare(startsAt), cmp.Compare(s.ID, id))
}
