package web

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// A search has the shows of every state: what can be booked, by start, then the rest, by start.
func TestSearchOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	const h = time.Hour
	f.shelf.put(1, -9*h, -8*h, -2*h, stockOf(5)) // ended
	f.shelf.put(2, -1*h, 2*h, 8*h, stockOf(5))
	f.shelf.put(3, 1*h, 2*h, 3*h, stockOf(5)) // upcoming
	f.shelf.put(4, -1*h, 2*h, 7*h, stockOf(5))
	f.shelf.put(5, -1*h, 2*h, 4*h, stockOf(0)) // sold out
	f.shelf.put(6, -1*h, 2*h, 9*h, stockOf(5))
	f.shelf.put(7, -1*h, 2*h, 2*h, stockOf(5))
	f.shelf.shows[slices.IndexFunc(f.shelf.shows, func(s *show.Show) bool { return s.ID == 7 })].Title = "Giselle"
	for state, want := range map[string][]int64{"": {4, 2, 6, 1, 3, 5}, "ended": {1}, "on_sale": {4, 2, 6}, "closed": nil} {
		for _, limit := range []string{"", "1", "2", "3", "4", "6"} {
			got, pages := f.allOf(t, url.Values{"q": {"swan"}, "state": {state}, "limit": {limit}})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("state %q, limit %q (-want +got):\n%s", state, limit, diff)
			}
			if limit == "3" && state == "" && pages != 2 {
				t.Errorf("%d pages, want 2", pages)
			}
		}
	}
	if got := f.shelf.followed; !slices.Contains(got, 4) || slices.Contains(got, 7) {
		t.Errorf("followed are %v, want what was shown", got)
	}
}

// library is 100,000 shows in memory, half of them over, that have words in common, with a level each.
type library struct {
	shelf
	catalogue *show.Catalogue
	shows     []show.Show
}

func newLibrary(t testing.TB, n int) *library {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	l := &library{shelf: shelf{now: noon, levels: map[int64]stock.Level{}}}
	for id := range int64(n) {
		starts := noon.Add(time.Duration(random.IntN(4000)-2000) * time.Hour)
		l.shows = append(l.shows, show.Show{
			ID: id + 1, StartsAt: starts, SalesOpenAt: starts.Add(-720 * time.Hour), SalesCloseAt: starts.Add(-time.Hour),
			Title: pick("뮤지컬", "연극", "콘서트", "Concert", "오페라", "Musical") + " " + pick("백조의 호수", "Giselle", "햄릿", "겨울 나그네", "라이브") +
				fmt.Sprintf(" %d회 시즌 %d", random.IntN(3000), id%97),
			Venue: pick("서울", "부산", "대구", "Busan", "Seoul") + " " + pick("예술의전당 오페라극장", "Arts Center", "올림픽공원 체조경기장", "블루스퀘어"),
		})
		l.levels[id+1] = stock.Level{ShowID: id + 1, Capacity: 100, Left: random.IntN(5)}
	}
	l.catalogue = show.NewCatalogue(l, slog.New(slog.DiscardHandler))
	if err := l.catalogue.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *library) ChangedSince(_ context.Context, t time.Time) ([]show.Show, time.Time, error) {
	if t.Unix() > 0 {
		return l.shows[:1], noon, nil
	}
	return l.shows, noon, nil
}

// TestSearchOfManyShows holds what is found against a look at every show.
func TestSearchOfManyShows(t *testing.T) {
	t.Parallel()
	l := newLibrary(t, 5000)
	f := newFixture(t, Options{})
	f.deps.Shows, f.deps.Levels = l.catalogue, &l.shelf
	for _, q := range []string{"백조 서울", "giselle BUSAN", "77회", "예술의전당"} {
		got, _ := f.allOf(t, url.Values{"q": {q}, "limit": {"100"}})
		states := map[bool]int{}
		for _, id := range got {
			s := l.shows[id-1]
			states[show.StateOf(s, noon, false, l.levels[id].Left) == show.OnSale]++
		}
		words := show.ReadWords(q, nil)
		all, _ := l.catalogue.Find(show.Search{Words: words})
		want := 0
		for s := range all {
			want++
			if !slices.Contains(got, s.ID) {
				t.Errorf("%s: show %d is not found", q, s.ID)
			}
		}
		if len(got) != want || states[false] == 0 || states[true] == 0 {
			t.Errorf("%s: found %d of %d, bookable %v", q, len(got), want, states)
		}
	}
}

// BenchmarkSearch reports the 99th percentile, and how long the catalogue takes to be refreshed with one change meanwhile.
func BenchmarkSearch(b *testing.B) {
	l := newLibrary(b, 100_000)
	f := newFixture(b, Options{RatePerAddress: 1 << 30})
	f.deps.Shows, f.deps.Levels = l.catalogue, &l.shelf
	search := func(b *testing.B, path string) {
		var took []time.Duration
		for b.Loop() {
			started := time.Now()
			if w := f.do("GET", path, ""); w.Code != 200 {
				b.Fatal(w.Body)
			}
			took = append(took, time.Since(started))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
	}
	for name, path := range map[string]string{
		"list":             "/api/v1/shows",
		"list_of_few":      "/api/v1/shows?state=paused",
		"word":             "/api/v1/shows?q=" + url.QueryEscape("백조"),
		"two_words":        "/api/v1/shows?q=" + url.QueryEscape("giselle 부산"),
		"rare":             "/api/v1/shows?q=" + url.QueryEscape("1234회 서울"),
		"absent":           "/api/v1/shows?q=" + url.QueryEscape("캣츠"),
		"one_letter":       "/api/v1/shows?limit=100&q=1",
		"many_letters":     "/api/v1/shows?q=" + url.QueryEscape("1 2 3 4 5 a c e i l n o r s t 0 6 7 8 9"),
		"all_but_bookable": "/api/v1/shows?state=ended&q=" + url.QueryEscape("회"),
	} {
		b.Run(name, func(b *testing.B) { search(b, path) })
	}
	b.Run("refresh", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			l.shows[0].Title = fmt.Sprint("changed ", i)
			if err := l.catalogue.Refresh(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzList: whatever is asked for, the answer is a page of shows that are as wanted, in order, or a problem that names a field.
func FuzzList(f *testing.F) {
	l := newLibrary(f, 50)
	fixture := newFixture(f, Options{RatePerAddress: 1 << 30})
	fixture.deps.Shows, fixture.deps.Levels = l.catalogue, &l.shelf
	mark := parsedMark(f, "q=1")
	f.Add("1", place{1, noon, 5}.cursor(mark), "", "3")
	f.Add("1", place{0, noon, -5}.cursor(mark), "", "")
	f.Add("", place{0, noon, 5}.cursor(parsedMark(f, "")), "ended", "100")
	f.Add("%_\\ 🦢", "AAAA", "x", "-1")
	f.Fuzz(func(t *testing.T, q, cursor, state, limit string) {
		query := url.Values{"q": {q}, "cursor": {cursor}, "state": {state}, "limit": {limit}}
		w := fixture.do("GET", "/api/v1/shows?"+query.Encode(), "")
		switch w.Code {
		case 200:
			found := decode[listJSON](t, w).Shows
			for i, s := range found {
				bookable := s.State == show.OnSale
				if state != "" && string(s.State) != state || state == "" && q == "" && !bookable {
					t.Errorf("show %d is %s", s.ID, s.State)
				}
				if i == 0 {
					continue
				}
				before := found[i-1]
				rose := compareShows(&l.shows[s.ID-1], before.StartsAt, before.ID) > 0
				if was := before.State == show.OnSale; bookable && !was || bookable == was && !rose {
					t.Errorf("show %d comes after %d", s.ID, before.ID)
				}
			}
			if most, err := strconv.Atoi(limit); err == nil && len(found) > most {
				t.Errorf("%d shows, want %s at most", len(found), limit)
			}
		case 422:
			if p := wantProblem(t, w, 422, "invalid"); len(p.Errors) == 0 {
				t.Errorf("no field is named: %+v", p)
			}
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzCursor: what is read as a cursor is one, so that no two texts mean one place, and each place's cursor is read, by its own query.
func FuzzCursor(f *testing.F) {
	f.Add(place{0, noon, 5}.cursor(7), byte(0), noon.UnixMilli(), int64(5), uint32(7))
	f.Add(place{1, noon, 1 << 62}.cursor(7), byte(1), noon.UnixMilli(), int64(-1), uint32(0))
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAA", byte(2), int64(1)<<62, int64(1)<<62, uint32(1)<<31)
	f.Fuzz(func(t *testing.T, text string, rank byte, ms, id int64, mark uint32) {
		want := place{rank, time.UnixMilli(ms).UTC(), id}
		possible := rank < 2 && id > 0 && want.startsAt.Year() >= 2000 && want.startsAt.Year() <= 9000
		if got, ok := placeParser(mark, 2)(want.cursor(mark)); ok != possible || ok && got != want {
			t.Errorf("%+v is read as %+v, %v", want, got, ok)
		}
		if got, ok := placeParser(mark+1, 2)(want.cursor(mark)); ok {
			t.Errorf("%+v is read by another query", got)
		}
		if p, ok := placeParser(7, 2)(text); ok && p.cursor(7) != text {
			t.Errorf("%q is read as %+v", text, p)
		}
		if p, ok := parsePosition(text); ok && positionCursor(p) != text {
			t.Errorf("%q is read as %+v", text, p)
		}
	})
}

func parsedMark(t testing.TB, query string) uint32 {
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseListing(values)
	if err != nil {
		t.Fatal(err)
	}
	return want.mark
}
