package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/stream"
	"github.com/neticket/neticket/internal/web/page"
)

// silentAfter is how long a worker may say nothing: a living one asks at least every second.
const silentAfter = 5 * time.Second

// queuePage shows what waits to be recorded, and what could not be.
func (s *Server) queuePage(c echo.Context, _ account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	before := readCursor(query, parseLetter, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	ctx := c.Request().Context()
	queue, err := s.deps.BackOffice.Queue(ctx)
	if err != nil {
		return unlessKnown(err)
	}
	letters, more, err := s.deps.DeadLetters.Letters(ctx, before, adminPage)
	if err != nil {
		return unlessKnown(err)
	}
	content := pageQueue(queue)
	content.Later = query.Get("cursor") != ""
	for _, letter := range letters {
		content.Letters = append(content.Letters, pageLetter(letter))
	}
	if more {
		content.Next = letterCursor(letters[len(letters)-1].ID)
	}
	return s.render(c, http.StatusOK, "admin_queue", content)
}

// pageQueue adds the shards up: the oldest entry of all is the oldest of any.
func pageQueue(queue stream.Queue) page.Queue {
	content := page.Queue{At: queue.At}
	total := &content.Total
	for i, depth := range queue.Shards {
		shard := page.QueueShard{
			Number: i, Entries: depth.Entries, InHand: depth.InHand, Oldest: depth.Oldest, Workers: depth.Workers, Missing: depth.Missing,
		}
		total.Entries += depth.Entries
		total.InHand += depth.InHand
		total.Oldest = max(total.Oldest, depth.Oldest)
		if depth.Pace != nil {
			shard.PaceKnown, shard.Made, shard.Settled = true, depth.Pace.Made, depth.Pace.Settled
			total.PaceKnown = true
			total.Made += depth.Pace.Made
			total.Settled += depth.Pace.Settled
		}
		content.Shards = append(content.Shards, shard)
	}
	for _, worker := range queue.Workers {
		content.Workers = append(content.Workers, page.QueueWorker{
			Name: worker.Name, Idle: worker.Idle, Silent: worker.Idle > silentAfter, InHand: worker.InHand, Shards: worker.Shards,
		})
		if worker.Idle <= silentAfter {
			total.Workers++
		}
	}
	return content
}

func pageLetter(letter stream.Letter) page.Letter {
	of := page.Letter{ID: letter.ID.String(), Entry: letter.Entry, Reason: letter.Reason, Shard: letter.Shard, At: letter.BuriedAt}
	for _, field := range letter.Fields {
		of.Fields = append(of.Fields, page.Pair{Name: stream.Text(field.Name), Text: stream.Text(field.Value)})
	}
	return of
}

// dropLetterPage asks whether a dead letter is really to be dropped.
func (s *Server) dropLetterPage(c echo.Context, _ account.Claims) error {
	id, ok := stream.ParseLetterID(c.Param("id"))
	if !ok {
		return stream.ErrNoLetter
	}
	letter, err := s.deps.DeadLetters.Letter(c.Request().Context(), id)
	if err != nil {
		return unlessKnown(err)
	}
	return s.render(c, http.StatusOK, "admin_letter", pageLetter(letter))
}

// dropLetter drops a dead letter for good.
func (s *Server) dropLetter(c echo.Context, me account.Claims) error {
	if err := s.dropInPath(c, me); err != nil {
		return err
	}
	return seeOther(c, adminPages+"/queue?done=letter_dropped")
}
