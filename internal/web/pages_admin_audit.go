package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/web/page"
)

// auditPage shows who did what, the newest first.
func (s *Server) auditPage(c echo.Context, _ account.Claims) error {
	query, err := parameters(c)
	if err != nil {
		return err
	}
	var bad invalid.Error
	before := readCursor(query, parseRecord, &bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	list, next, err := s.records(c.Request().Context(), before, adminPage)
	if err != nil {
		return err
	}
	content := page.Audit{Later: before != 0}
	for _, record := range list {
		content.Records = append(content.Records, s.pageRecord(c, record))
	}
	if next != nil {
		content.Next = *next
	}
	return s.render(c, http.StatusOK, "admin_audit", content)
}

func (s *Server) pageRecord(c echo.Context, j recordJSON) page.Record {
	r := page.Record{
		ID: j.ID, At: j.At, IP: j.IP, Request: j.RequestID,
		Action: s.textOr(c, "admin.action."+string(j.Action), string(j.Action)),
	}
	kind, id, _ := strings.Cut(j.Object, ":")
	r.Object = s.textOr(c, "admin.object."+kind, j.Object, "id", id)
	if kind == "show" {
		r.Show, _ = strconv.ParseInt(id, 10, 64)
	}
	if j.Actor != nil {
		r.UserID, r.Who, r.Email = j.Actor.ID, j.Actor.Name, j.Actor.Email
	}
	r.Changes, r.Facts = s.readDetails(c, j.Details)
	return r
}

// textOr returns a text, or what is given where there is no text of that key.
func (s *Server) textOr(c echo.Context, key, without string, args ...any) string {
	if !s.site.Has(key) {
		return without
	}
	return s.text(c, key, args...)
}

// readDetails takes the details of a record apart, for people: fields that have a before and an after, and others. The fields of a show
// come in the order of its form, and under the names that they have there.
func (s *Server) readDetails(c echo.Context, raw json.RawMessage) (changes []page.Change, facts []page.Pair) {
	var details map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&details); err != nil {
		return nil, []page.Pair{{Text: string(raw)}}
	}
	order := func(name string) int {
		if at := slices.Index(formFields(), name); at >= 0 {
			return at
		}
		return len(formFields())
	}
	names := slices.SortedFunc(maps.Keys(details), func(a, b string) int { return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a, b)) })
	for _, name := range names {
		title := s.textOr(c, "admin.field."+name, name)
		change, _ := details[name].(map[string]any)
		before, hasBefore := change["before"]
		after, hasAfter := change["after"]
		if len(change) == 2 && hasBefore && hasAfter {
			changes = append(changes, page.Change{Name: title, Before: legible(before), After: legible(after)})
		} else {
			facts = append(facts, page.Pair{Name: title, Text: legible(details[name])})
		}
	}
	return changes, facts
}

// legible writes a value of JSON for people: a text as it is, a time in the admins' zone.
func legible(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return page.Moment(at)
		}
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
