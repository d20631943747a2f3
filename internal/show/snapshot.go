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
	byID := map[int64]*Show{}
	if s != nil {
		shows = slices.DeleteFunc(shows, func(show Show) bool {
			old, ok := s.byID[show.ID]
			return ok && *old == show
		})
		if len(shows) == 0 {
			return s
		}
		byID = maps.Clone(s.byID)
	}
	for i := range shows {
		byID[shows[i].ID] = &shows[i]
	}
	return &snapshot{byID, slices.SortedFunc(maps.Values(byID), func(a, b *Show) int {
		return Compare(a, b.StartsAt, b.ID)
	})}
}

// Compare orders s against a place in the list of Catalogue.ByStart: by start, then id.
func Compare(s *Show, startsAt time.Time, id int64) int {
	return cmp.Or(s.StartsAt.Compare(startsAt), cmp.Compare(s.ID, id))
}
