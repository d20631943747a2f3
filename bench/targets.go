package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// target is what one run asks for: the requests of a kind, in turn.
type target struct {
	name        string // of its figure
	url         string
	what        string // what is asked for, in words
	headers     http.Header
	requests    []string // each "METHOD path" or "METHOD path body"
	tokens      string   // file with a token a line; each request is sent once with each of them, then the next
	paired      bool     // instead, each token is sent once, with the requests in turn
	connections int
}

// prober asks an API for what the requests are made of, and tries them before they count.
type prober struct {
	url    string
	client http.Client
	random *rand.Rand
}

func newProber(url string) *prober {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &prober{url, http.Client{CheckRedirect: stay}, rand.New(rand.NewPCG(3, 4))} //nolint:gosec // the same requests every time
}

// response is what a request was answered.
type response struct {
	cookies []*http.Cookie
	body    []byte
}

// send sends a request as a target has them. An answer of another status than is wanted is an error.
func (p *prober) send(ctx context.Context, text string, headers http.Header, want int) (response, error) {
	method, rest, _ := strings.Cut(text, " ")
	path, body, _ := strings.Cut(rest, " ")
	request, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	maps.Copy(request.Header, headers)
	answer, err := p.client.Do(request)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != want {
		err = fmt.Errorf("it is %s: %s", answer.Status, got)
	}
	if err != nil {
		return response{}, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return response{answer.Cookies(), got}, nil
}

// page is an answer of list or search.
type page struct {
	Shows []struct {
		ID int64 `json:"id"`
	} `json:"shows"`
	NextCursor *string `json:"next_cursor"`
}

func (p *prober) ask(ctx context.Context, path string) (page, error) {
	answer, err := p.send(ctx, "GET "+path, nil, http.StatusOK)
	if err != nil {
		return page{}, err
	}
	var found page
	if err := json.Unmarshal(answer.body, &found); err != nil {
		return page{}, fmt.Errorf("read the answer to %s: %w", path, err)
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
	return p.target(ctx, "reading/list", 64, "without words: 4 or 20 shows a page, up to the ninth page by cursor", paths)
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
	return p.target(ctx, "reading/search", 8, "one to three words, Korean and Latin, parts of words, rare and absent ones", paths)
}

// popular returns a hundred shows, as most people look at few.
func (p *prober) popular(ctx context.Context) (ids []int64, err error) {
	found, err := p.ask(ctx, "/api/v1/shows?limit=100")
	for _, s := range found.Shows {
		ids = append(ids, s.ID)
	}
	return ids, err
}

// detail asks for shows.
func (p *prober) detail(shows []int64) target {
	t := target{name: "reading/detail", url: p.url, connections: 64, what: fmt.Sprintf("of %d shows, with their units left", len(shows))}
	for _, id := range shows {
		t.requests = append(t.requests, fmt.Sprint("GET /api/v1/shows/", id))
	}
	return t
}

// target tries the paths of a list or search, shuffles them, and says how many of them find something.
func (p *prober) target(ctx context.Context, name string, connections int, what string, paths []string) (target, error) {
	finding := 0
	t := target{name: name, url: p.url, connections: connections}
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
