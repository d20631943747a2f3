package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// target is what one run asks for: the requests of a kind, in turn.
type target struct {
	name     string
	url      string
	what     string // what is asked for, in words
	requests []string
}

// prober asks an API for what the requests are made of, and tries them before they count.
type prober struct {
	url    string
	client http.Client
	random *rand.Rand
}

func newProber(url string) *prober {
	return &prober{url: url, random: rand.New(rand.NewPCG(3, 4))} //nolint:gosec // the same requests every time
}

// page is an answer of list or search.
type page struct {
	Shows []struct {
		ID int64 `json:"id"`
	} `json:"shows"`
	NextCursor *string `json:"next_cursor"`
}

func (p *prober) ask(ctx context.Context, path string) (page, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return page{}, err
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return page{}, err
	}
	defer answer.Body.Close()
	var found page
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil || answer.StatusCode != http.StatusOK {
		return page{}, fmt.Errorf("%s is answered %s: %w", path, answer.Status, err)
	}
	return found, nil
}

// list asks for what is bookable, nearest first: as the home page does, and page by page; now and then for another state.
func (p *prober) list(ctx context.Context) (target, error) {
	paths := []string{"/api/v1/shows?limit=4", "/api/v1/shows?limit=4", "/api/v1/shows", "/api/v1/shows?state=upcoming"}
	for cursor := ""; len(paths) < 12; {
		found, err := p.ask(ctx, "/api/v1/shows?cursor="+cursor)
		if err != nil {
			return target{}, err
		}
		if found.NextCursor == nil {
			break
		}
		cursor = *found.NextCursor
		paths = append(paths, "/api/v1/shows?cursor="+cursor)
	}
	return p.target(ctx, "list", "without words: 4 or 20 shows a page, up to the ninth page by cursor", paths)
}

// search asks for words of the catalogue: one to three, parts of words, other case, rare ones and ones that are nowhere; one in five
// for the second page.
func (p *prober) search(ctx context.Context, v vocabulary) (target, error) {
	pick := func(from []string) string { return from[p.random.IntN(len(from))] }
	word := func(from []string) string { words := strings.Fields(pick(from)); return pick(words) }
	kinds := []func() string{
		func() string { return word(v.works) },
		func() string { return pick(v.works) },
		func() string { return strings.ToUpper(word(v.works)) },
		func() string { return word(v.works) + " " + word(v.cities) },
		func() string { return pick(v.artists) + " " + word(v.halls) },
		func() string { return word(v.kinds) + " " + word(v.works) + " " + word(v.cities) },
		func() string { return strconv.Itoa(1+p.random.IntN(3000)) + "회" },
		func() string { text := []rune(word(v.works)); return string(text[:1+len(text)/2]) },
		func() string {
			return pick([]string{"캣츠", "오로라 밴드", "Nutcracker", "서울 없는공연", "zzz", "Hamilton Seoul"})
		},
	}
	var paths []string
	for i := range 450 {
		path := "/api/v1/shows?q=" + url.QueryEscape(kinds[i%len(kinds)]())
		if i%5 == 0 {
			found, err := p.ask(ctx, path)
			if err != nil {
				return target{}, err
			}
			if found.NextCursor != nil {
				path += "&cursor=" + *found.NextCursor
			}
		}
		paths = append(paths, path)
	}
	return p.target(ctx, "search", "one to three words, Korean and Latin, parts of words, rare and absent ones", paths)
}

// detail asks for a hundred shows, as most people look at few.
func (p *prober) detail(ctx context.Context) (target, error) {
	found, err := p.ask(ctx, "/api/v1/shows?limit=100")
	if err != nil {
		return target{}, err
	}
	t := target{name: "detail", url: p.url, what: fmt.Sprintf("of %d shows, with their units left", len(found.Shows))}
	for _, s := range found.Shows {
		t.requests = append(t.requests, fmt.Sprint("GET /api/v1/shows/", s.ID))
	}
	return t, nil
}

// target tries the paths of a list or search, shuffles them, and says how many of them find something.
func (p *prober) target(ctx context.Context, name, what string, paths []string) (target, error) {
	finding := 0
	t := target{name: name, url: p.url}
	for _, path := range paths {
		found, err := p.ask(ctx, path)
		if err != nil {
			return target{}, err
		}
		if len(found.Shows) > 0 {
			finding++
		}
		t.requests = append(t.requests, "GET "+path)
	}
	p.random.Shuffle(len(t.requests), func(i, j int) { t.requests[i], t.requests[j] = t.requests[j], t.requests[i] })
	t.what = fmt.Sprintf("%s; %d of %d requests find something", what, finding, len(paths))
	return t, nil
}
