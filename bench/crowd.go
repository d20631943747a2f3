package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/loadgen"
)

// crowd is requests that are due at regular times, whether earlier ones are answered or not.
type crowd struct {
	requests int
	over     time.Duration                   // 0: all are due at once
	request  func(b []byte, i int) []byte    // appends request i to b
	served   []string                        // answers that are as they should be, by status and code
	again    func(word string) loadgen.Again // nil: nothing is sent again
}

// outcome is what became of a crowd. Latencies count from when a request was due.
type outcome struct {
	loadgen.Summary
	answers  map[string]int
	unserved int
	took     time.Duration // until the last answer
}

// generator returns a load generator for the API. Kept connections are opened with a first request on each.
func (s *system) generator(ctx context.Context, connections int, keep bool) (*loadgen.Generator, error) {
	g, err := loadgen.New(ctx, loadgen.Options{Addr: s.host(), Connections: connections, Keep: keep,
		Greeting: loadgen.AppendRequest(nil, "GET", s.host(), "/api/v1/shows?limit=1", "")})
	if err != nil {
		return nil, err
	}
	if keep {
		if err := g.Open(ctx); err != nil {
			g.Close()
			return nil, err
		}
	}
	return g, nil
}

func (s *system) host() string { return strings.TrimPrefix(s.api.url, "http://") }

// send sends a crowd and returns what became of it.
func send(ctx context.Context, g *loadgen.Generator, c crowd) (outcome, error) {
	tally, began := loadgen.NewTally(c.requests), time.Now()
	err := g.Run(ctx, loadgen.Load{Requests: c.requests, Over: c.over,
		Request: func(b []byte, i, _ int) loadgen.Request { return loadgen.Request{Bytes: c.request(b, i)} },
		Answered: func(_, _ int, a loadgen.Answer) loadgen.Again {
			tally.Add(a)
			if c.again == nil {
				return loadgen.Again{}
			}
			return c.again(a.Word())
		}})
	if err != nil {
		return outcome{}, err
	}
	o := outcome{Summary: tally.Latency(), answers: tally.Words(), took: time.Since(began)}
	for word, n := range o.answers {
		if !slices.Contains(c.served, word) {
			o.unserved += n
		}
	}
	return o, nil
}

// booking appends a booking of a unit by a customer, each customer in turn.
func (s *system) booking(b []byte, show int64, i int) []byte {
	return loadgen.AppendRequest(b, "POST", s.host(), fmt.Sprintf("/api/v1/shows/%d/reservations", show), `{"units":1}`,
		"Authorization: Bearer "+s.tokens[i%len(s.tokens)])
}

// get appends a GET by a customer.
func (s *system) get(b []byte, path string, i int) []byte {
	return loadgen.AppendRequest(b, "GET", s.host(), path, "", "Authorization: Bearer "+s.tokens[i%len(s.tokens)])
}

// load has Redis load shows: a unit of each is booked, again and again while the show is unknown to the API or being loaded.
func (s *system) load(ctx context.Context, shows []int64) error {
	g, err := s.generator(ctx, min(len(shows), 32), true)
	if err != nil {
		return err
	}
	defer g.Close()
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	_, err = send(ctx, g, crowd{requests: len(shows),
		request: func(b []byte, i int) []byte { return s.booking(b, shows[i], i) },
		again: func(word string) loadgen.Again {
			return loadgen.Again{Send: word != "202", After: 100 * time.Millisecond}
		}})
	if err != nil {
		return fmt.Errorf("open %d sales: %w", len(shows), err)
	}
	return nil
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
