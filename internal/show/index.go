package show

import (
	"iter"
	"math/bits"
	"sort"
	"strings"
	"sync"
	"unique"
)

// index finds the shows that hold a word. What people look for has no space in it, so it can only be within one of the words of a
// title or venue, and of those there are far fewer than shows: "Seoul" is looked at once, and leads to the shows that hold it.
type index struct {
	words  string  // each different one, with a line break behind it, which none holds
	begins []int   // of the i-th word; the last is the length of words
	places []int32 // of the shows that hold it, as the snapshot counts them: those of the i-th word from firsts[i] to firsts[i+1]
	firsts []int
	spare  *sync.Pool // of *places: else they were a third of what a search allocates
}

// foldedWords returns the words of a show; words that are the same share their memory.
func foldedWords(s *Show) []unique.Handle[string] {
	folded := strings.Fields(fold(s.Title) + "\n" + fold(s.Venue))
	words := make([]unique.Handle[string], len(folded))
	for i, word := range folded {
		words[i] = unique.Make(word)
	}
	return words
}

func newIndex(shows []*listed) index {
	x := index{firsts: []int{0}, spare: &sync.Pool{New: func() any { return new(make(places, (len(shows)+63)/64)) }}}
	known := map[unique.Handle[string]]int32{}
	var all []int32                    // the words of all shows, by their number
	ends := make([]int, 0, len(shows)) // of each show's, in all
	var counts []int
	var text strings.Builder
	for _, l := range shows {
		for _, word := range l.words {
			i, ok := known[word]
			if !ok {
				i = int32(len(known))
				known[word] = i
				counts = append(counts, 0)
				x.begins = append(x.begins, text.Len())
				text.WriteString(word.Value())
				text.WriteByte('\n')
			}
			counts[i]++
			all = append(all, i)
		}
		ends = append(ends, len(all))
	}
	x.words = text.String()
	x.begins = append(x.begins, len(x.words))
	for i, count := range counts {
		x.firsts = append(x.firsts, x.firsts[i]+count)
	}
	x.places = make([]int32, len(all))
	begin := 0
	for place, end := range ends {
		for _, word := range all[begin:end] {
			counts[word]--
			x.places[x.firsts[word]+counts[word]] = int32(place)
		}
		begin = end
	}
	return x
}

// places is a set of shows, a bit for each place in a snapshot.
type places []uint64

// holding yields the places of the shows that hold all the words, from one on.
func (x *index) holding(words Words, first int) iter.Seq[int] {
	return func(yield func(int) bool) {
		all, found := x.spare.Get().(*places), x.spare.Get().(*places)
		defer x.spare.Put(all)
		defer x.spare.Put(found)
		clear(*all)
		if !x.add(*all, words[0]) {
			return
		}
		for _, word := range words[1:] {
			clear(*found)
			if !x.add(*found, word) {
				return
			}
			for i, holds := range *found {
				(*all)[i] &= holds
			}
		}
		all.from(first)(yield)
	}
}

// add adds the shows that hold a word; it reports whether there are any.
func (x *index) add(to places, word string) (some bool) {
	for at := 0; ; some = true {
		further := strings.Index(x.words[at:], word)
		if further < 0 {
			return some
		}
		next := sort.SearchInts(x.begins, at+further+1) // the word behind the one that it is in
		for _, place := range x.places[x.firsts[next-1]:x.firsts[next]] {
			to[place/64] |= 1 << (place % 64)
		}
		at = x.begins[next]
	}
}

// from yields the places in the set, from one on.
func (p places) from(first int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := first / 64; i < len(p); i++ {
			left := p[i]
			if i == first/64 {
				left &= ^uint64(0) << (first % 64)
			}
			for ; left != 0; left &= left - 1 {
				if !yield(i*64 + bits.TrailingZeros64(left)) {
					return
				}
			}
		}
	}
}
