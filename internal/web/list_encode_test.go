package web

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestListEncoder(t *testing.T) {
	t.Parallel()
	for _, text := range awkward {
		s := *fill(text, 7, noon, true)[1].(*showJSON)
		for _, list := range []*listJSON{{Shows: []showJSON{}}, {Shows: []showJSON{s}}, {Shows: []showJSON{s, {}, s}, NextCursor: &text}} {
			sameAsJSON(t, list)
		}
	}
}

// Texts of odd characters in any order are escaped as encoding/json does.
func TestEscapes(t *testing.T) {
	t.Parallel()
	pieces := append([]string{"a", "가", "\u2027", "\u2030", "\xe2", "\x80", "\b\f\r\t\n", "\x7f", "'"}, awkward...)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var text strings.Builder
		for range random.IntN(6) {
			piece := pieces[random.IntN(len(pieces))]
			text.WriteString(piece[:min(len(piece), random.IntN(30))])
		}
		said := text.String()
		sameAsJSON(t, &listJSON{Shows: []showJSON{}, NextCursor: &said})
	}
}
