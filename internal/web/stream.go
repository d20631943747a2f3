package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

const (
	maxStreamShows = 50
	// maxStreams of a process, some 20 KB each with their connection.
	maxStreams     = 10_000
	heartbeatEvery = 15 * time.Second
	// sendTimeout is how long a client may take nothing in before its stream is cut.
	sendTimeout = 10 * time.Second
)

// errTooManyStreams says that this process has as many streams as it may.
var errTooManyStreams = errors.New("too many streams")

// streamStock sends the units left of shows: at once, then whenever they have changed, until the client goes, the server stops or
// what is sent is not taken in.
func (s *Server) streamStock(c echo.Context) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	ids, err := parseStream(query)
	if err != nil {
		return err
	}
	if s.streams.Add(1) > int64(s.options.MaxStreams) {
		s.streams.Add(-1)
		s.metrics.shed.WithLabelValues("streams").Inc()
		return errTooManyStreams
	}
	defer s.streams.Add(-1)
	ctx := c.Request().Context()
	for _, id := range ids {
		if _, err := s.deps.Shows.Get(ctx, id); err != nil {
			return err
		}
	}
	stream, err := s.feed.open(ctx, ids)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	defer s.feed.close(stream, ids)
	return s.send(c, stream)
}

// parseStream reads which shows a stream is of.
func parseStream(query url.Values) ([]int64, error) {
	var bad invalid.Error
	text := query.Get("shows")
	if text == "" {
		bad.Add("shows", "required", "must be the ids of shows, separated by commas")
		return nil, bad.OrNil()
	}
	if strings.Count(text, ",") >= maxStreamShows {
		bad.Add("shows", "too_many", fmt.Sprintf("must be at most %d ids", maxStreamShows))
		return nil, bad.OrNil()
	}
	var ids []int64
	for part := range strings.SplitSeq(text, ",") {
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil || id < 1 || strconv.FormatInt(id, 10) != part {
			bad.Add("shows", "unknown", "must be the ids of shows, separated by commas")
			return nil, bad.OrNil()
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// send writes a stream's events until it ends. The server's time-outs are for answers that end, so each write gets its own.
func (s *Server) send(c echo.Context, stream *follower) error {
	w := c.Response()
	h := w.Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no")                // nginx would collect events
	control := http.NewResponseController(w.Writer) // Echo's own would hide the error of a flush
	_ = control.SetReadDeadline(time.Time{})        // else it would end as soon as a request must have been read
	w.WriteHeader(http.StatusOK)
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for text := stream.news([]byte("retry: 2000\n\n")); ; { // ms until a browser connects again
		if len(text) > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(sendTimeout))
			if _, err := w.Write(text); err != nil {
				return s.cut(err)
			}
			if err := control.Flush(); err != nil {
				return s.cut(err)
			}
		}
		select {
		case <-stream.wake:
			text = stream.news(text[:0])
		case <-heartbeat.C:
			text = append(text[:0], ":\n\n"...)
		case <-s.ending:
			return nil
		case <-c.Request().Context().Done():
			return nil
		}
	}
}

// cut counts a stream whose client went without a word or does not read.
func (s *Server) cut(err error) error {
	s.metrics.streamsCut.Inc()
	return err
}
