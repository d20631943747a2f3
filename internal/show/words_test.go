package show

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/neticket/neticket/internal/invalid"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	table := newMemory()
	for i, s := range []Show{
		{Title: "백조의 호수", Venue: "예술의전당 오페라극장"},
		{Title: "Swan Lake", Venue: "Seoul Arts Center"},
		{Title: "ＳＷＡＮ Ⅱ", Venue: "ﾎｰﾙ"},
		{Title: norm.NFD.String("백조의 호수"), Venue: "한강"}, // in letters, as macOS writes it
		{Title: "Straße 100%_\\", Venue: "🦢 Hall"},
	} {
		s.ID, s.StartsAt = int64(i+1), time.Unix(int64(i), 0)
		table.put(s)
	}
	c := NewCatalogue(table, quiet())
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]int64{
		"swan":                   {2, 3},
		"SWAN":                   {2, 3},
		"ｓｗａｎ":                   {2, 3},
		"swan lake":              {2},
		"lake　SWAN swan":         {2}, // an ideographic space
		"arts swan":              {2}, // in title and venue
		"swan giselle":           nil,
		"ii":                     {3},
		"ホール":                    {3},
		"백조":                     {1, 4},
		"호수 백조의":                 {1, 4},
		norm.NFD.String("백조"):    {1, 4},
		"백조 오페라":                 {1},
		"조의호수":                   nil, // words are parted in the title
		"호수예술":                   nil, // title and venue are not one word
		"strasse":                {5},
		"STRASSE":                {5},
		"%":                      {5},
		"_":                      {5},
		"%_\\":                   {5},
		"100% hall":              {5},
		"%%":                     nil,
		"🦢":                      {5},
		"🦢🦢":                     nil,
		"\x00":                   nil,
		strings.Repeat("한", 200): nil,
	} {
		var bad invalid.Error
		words := ReadWords(query, &bad)
		if err := bad.OrNil(); err != nil {
			t.Errorf("%q: %v", query, err)
		}
		shows, err := c.Find(Search{Words: words})
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for s := range shows {
			got = append(got, s.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestSearchSeesChanges(t *testing.T) {
	t.Parallel()
	table := newMemory(1, 2)
	c := NewCatalogue(table, quiet())
	find := func(word string) (n int) {
		t.Helper()
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		shows, _ := c.Find(Search{Words: Words{word}})
		for range shows {
			n++
		}
		return n
	}
	if n := find("giselle"); n != 0 {
		t.Errorf("found %d", n)
	}
	old := c.current.Load().byID[2]
	table.put(Show{ID: 1, Title: "Giselle"})
	if n := find("giselle"); n != 1 {
		t.Errorf("found %d", n)
	}
	c.refreshes = 0 // the next one reads the whole table
	table.put(Show{ID: 1, Title: "Carmen"})
	if n := find("giselle"); n != 0 {
		t.Errorf("found %d", n)
	}
	if c.current.Load().byID[2] != old {
		t.Error("a show that has not changed was folded again")
	}
}

func TestReadWordsRefuses(t *testing.T) {
	t.Parallel()
	for query, code := range map[string]string{
		"":                           "required",
		" \t\r\n\u00a0\u3000":        "required",
		"\xff":                       "characters",
		"swan \xed\xa0\x80":          "characters",
		strings.Repeat("가", 201):     "too_long",
		strings.Repeat("a ", 10_000): "too_long",
	} {
		var bad invalid.Error
		if words := ReadWords(query, &bad); len(words) > 0 || len(bad.Fields) != 1 || bad.Fields[0].Field != "q" || bad.Fields[0].Code != code {
			t.Errorf("%.20q: %q, %v, want a fault %s of q", query, words, bad.Fields, code)
		}
	}
}

// FuzzWords: whatever is searched for, the words are folded, each is there once, what is called like the query is found, and so is
// exactly what holds each of the words.
func FuzzWords(f *testing.F) {
	f.Add("swan lake", "Swan Lake", "Seoul Arts Center")
	f.Add("호수 백조의", "백조의 호수", "예술의전당")
	f.Add(norm.NFD.String("백조"), "백조", "\u3000한강\u3000")
	for _, seed := range []string{"ＳＷＡＮ　Ⅱ", "%_\\", "🦢", " ", "\xff", "ß ﷺ ﾊﾞ", "\u0345\u1e9e İ", "a\na b"} {
		f.Add(seed, "swan ii", seed+"a")
	}
	f.Fuzz(func(t *testing.T, query, title, venue string) {
		var bad invalid.Error
		words := ReadWords(query, &bad)
		if (len(words) == 0) != (bad.OrNil() != nil) {
			t.Fatalf("words %q with %v", words, bad.Fields)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(words)))) != len(words) {
			t.Errorf("words %q", words)
		}
		for _, word := range words {
			if word == "" || strings.ContainsFunc(word, unicode.IsSpace) {
				t.Errorf("words %q", words)
			}
		}
		if len(words) == 0 {
			return
		}
		want := []int64{1, 2}
		lacks := func(word string) bool {
			return !strings.Contains(fold(title), word) && !strings.Contains(fold(venue), word)
		}
		if !slices.ContainsFunc(words, lacks) {
			want = append(want, 3)
		}
		shows := []Show{{ID: 1, Title: query}, {ID: 2, Title: "x", Venue: query}, {ID: 3, Title: title, Venue: venue}}
		var got []int64
		for s := range new(snapshot).with(shows).find(Search{Words: words}) {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v; the third is %q in %q", query, got, want, title, venue)
		}
	})
}
