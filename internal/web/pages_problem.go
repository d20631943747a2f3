package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/web/page"
)

// problemPage answers with a page that says what is wrong, in the person's language, and where to go: a login is asked for there and
// then.
func (s *Server) problemPage(c echo.Context, p Problem) error {
	if p.Status == http.StatusUnauthorized {
		return s.render(c, p.Status, "login", page.Account{Needed: true})
	}
	content := page.Problem{
		Title: s.text(c, s.problemTitle(p)), Detail: s.text(c, s.problemKey(p)),
		Faults: s.faultTexts(c, &invalid.Error{Fields: p.Errors}), RequestID: p.RequestID,
		Again: seconds(p.retryAfter), WayOn: "/", WayOnText: s.text(c, "problem.home"),
	}
	if p.retryAfter > 0 || p.Status == http.StatusInternalServerError {
		content.WayOn, content.WayOnText = againAt(c), s.text(c, "problem.retry")
	}
	if isReservationRoute(c.Path()) {
		switch {
		case p.Status == http.StatusNotFound:
			content.Detail = s.text(c, "reservation.not_found")
			content.WayOn, content.WayOnText = reservationsPath, s.text(c, "nav.reservations")
		case p.Code == unavailable.Code && c.Request().Method == http.MethodGet: // as after a booking that is not recorded yet
			content.Detail = s.text(c, "reservation.unreadable")
		}
	}
	return s.render(c, p.Status, "problem", content)
}

// renderRefusal answers with a page that tells in its own words why something was not done, in place of the page of the problem.
func (s *Server) renderRefusal(c echo.Context, err error, name string, content any) error {
	return s.render(c, s.toldOf(c, err).Status, name, content)
}

// problemTitle returns the key of the title that a problem has on a page.
func (s *Server) problemTitle(p Problem) string {
	return s.known("problem.title."+strconv.Itoa(p.Status), "problem.title.500")
}

// problemKey returns the key of the text that says what is wrong: for its code where that has one, else for its status.
func (s *Server) problemKey(p Problem) string {
	return s.known("problem."+cmp.Or(p.onPage, p.Code), "problem.status."+strconv.Itoa(p.Status), "problem.internal")
}

// refusal returns the key of the text that a page of its own tells an error with: that of the error's code below one of the prefixes,
// such as "booking.". ok is false where there is none: then the handler returns the error as it is.
func (s *Server) refusal(c echo.Context, err error, prefixes ...string) (key string, ok bool) {
	if errors.Is(c.Request().Context().Err(), context.Canceled) {
		return "", false // nobody waits for a page
	}
	code := problemOf(err).Code
	for _, prefix := range prefixes {
		if key := prefix + code; s.site.Has(key) {
			return key, true
		}
	}
	return "", false
}

// known returns the first of the keys that there is a text for.
func (s *Server) known(keys ...string) string {
	for _, key := range keys[:len(keys)-1] {
		if s.site.Has(key) {
			return key
		}
	}
	return keys[len(keys)-1]
}

// faultsOf returns the faults of fields that an error tells, if it does.
func faultsOf(err error) (*invalid.Error, bool) {
	bad, ok := errors.AsType[*invalid.Error](err)
	return bad, ok
}

// faultTexts says for people what is wrong with fields: what there is a text for is told in it, the rest as the API does.
func (s *Server) faultTexts(c echo.Context, bad *invalid.Error) []string {
	var texts []string
	for _, fault := range bad.Fields {
		texts = append(texts, s.faultText(c, fault))
	}
	return texts
}

func (s *Server) faultText(c echo.Context, fault invalid.Field) string {
	if key := s.known("fault."+fault.Field+"."+fault.Code, "fault."+fault.Code, ""); key != "" {
		return s.text(c, key)
	}
	return fault.Field + ": " + fault.Message
}
