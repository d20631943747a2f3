package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/neticket/neticket/internal/invalid"
)

// maxQuery is the most characters that a search may have: as many as a title.
const maxQuery = maxName

// Words are what a search looks for: a show is found when each of them is somewhere in its title or venue. They stand for
// themselves, there are no wildcards. A part of a word will do, because Korean words carry their particles with them.
type Words []string

// ReadWords returns the words of a query, each once and folded, or adds to bad what is wrong with the field q.
func ReadWords(query string, bad *invalid.Error) Words {
	switch {
	case !utf8.ValidString(query):
		bad.Add("q", "characters", "must be valid UTF-8")
		return nil
	case utf8.RuneCountInString(query) > maxQuery:
		bad.Add("q", "too_long", fmt.Sprintf("must have at most %d characters", maxQuery))
		return nil
	}
	words := strings.Fields(fold(query))
	if len(words) == 0 {
		bad.Add("q", "required", "must hold a word to look for")
	}
	// The longest one first: it is the one that is nowhere, mostly, and then the others need not be looked for.
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(words)
}

// fold makes texts equal that people take for the same: upper and lower case, full and half width, Hangul in one piece or in
// letters (as macOS writes it). It normalizes (NFKC) before and after, because folding case can undo what normalizing did.
func fold(text string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text))) }
