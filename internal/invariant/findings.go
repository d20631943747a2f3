package invariant

import (
	"cmp"
	"fmt"
	"slices"
)

// maxIDs is how many ids a violation names; a fault that has more is as clear.
const maxIDs = 100

// findings gathers violations: those that differ only in their ids are one.
type findings struct{ list []*finding }

type finding struct {
	Violation
	more int // ids that are not named
}

func (f *findings) add(invariant string, show int64, detail string, ids ...string) {
	i := slices.IndexFunc(f.list, func(v *finding) bool {
		return v.Invariant == invariant && v.Show == show && v.Detail == detail
	})
	if i < 0 {
		i = len(f.list)
		f.list = append(f.list, &finding{Violation: Violation{Invariant: invariant, Show: show, Detail: detail, IDs: []string{}}})
	}
	v := f.list[i]
	for _, id := range ids {
		switch {
		case slices.Contains(v.IDs, id): // SCAN may return a key twice
		case len(v.IDs) < maxIDs:
			v.IDs = append(v.IDs, id)
		default:
			v.more++
		}
	}
}

// violations are sorted by invariant and show.
func (f *findings) violations() []Violation {
	slices.SortStableFunc(f.list, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(len(a.Invariant), len(b.Invariant)), cmp.Compare(a.Invariant, b.Invariant), cmp.Compare(a.Show, b.Show))
	})
	list := make([]Violation, len(f.list))
	for i, v := range f.list {
		if v.more > 0 {
			v.Detail += fmt.Sprintf(" (and %d more)", v.more)
		}
		list[i] = v.Violation
	}
	return list
}
