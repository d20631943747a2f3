package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/stream"
)

// DeadLetters is what could not be decoded.
type DeadLetters interface {
	// Letters returns letters older than before, the zero value for the newest, newest first, and whether there are more.
	Letters(ctx context.Context, before stream.LetterID, limit int) (letters []stream.Letter, more bool, err error)
	// Letter returns one, or stream.ErrNoLetter.
	Letter(ctx context.Context, id stream.LetterID) (stream.Letter, error)
	// Drop deletes a letter, with a record of what it held in the audit log, or returns stream.ErrNoLetter.
	Drop(ctx context.Context, by auditlog.Actor, id stream.LetterID) error
}

// listDeadLetters answers with what could not be decoded. Bytes are written as stream.Text does.
func (s *Server) listDeadLetters(c echo.Context, _ account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	limit := pageLimit(query.Get("limit"), &bad)
	before := readCursor(query, parseLetter, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	letters, more, err := s.deps.DeadLetters.Letters(c.Request().Context(), before, limit)
	if err != nil {
		return unlessKnown(err)
	}
	var next *string
	if more {
		next = new(letterCursor(letters[len(letters)-1].ID))
	}
	return answer(c, http.StatusOK, struct {
		DeadLetters []stream.Letter `json:"dead_letters"`
		NextCursor  *string         `json:"next_cursor"`
	}{append([]stream.Letter{}, letters...), next}) // not null
}

// dropDeadLetter deletes a dead letter for good.
func (s *Server) dropDeadLetter(c echo.Context, me account.Claims) error {
	if err := s.dropInPath(c, me); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// dropInPath deletes the dead letter whose id is in the path.
func (s *Server) dropInPath(c echo.Context, me account.Claims) error {
	id, ok := stream.ParseLetterID(c.Param("id"))
	if !ok {
		return stream.ErrNoLetter
	}
	if err := s.deps.DeadLetters.Drop(c.Request().Context(), s.actor(c, me), id); err != nil {
		return unlessKnown(err)
	}
	return nil
}
