package web

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/page"
)

// formFields are those of the form of a show, in their order on the page.
func formFields() []string {
	return []string{"title", "venue", "description", "price", "time_zone", "starts_at", "sales_open_at", "sales_close_at",
		"capacity", "limit_per_user", "image_alt"}
}

// storedForm is the form of a show as it is stored. Nil is a new one.
func storedForm(of *page.Show) page.ShowForm {
	form := page.ShowForm{Values: map[string]string{"time_zone": show.DefaultTimeZone, "limit_per_user": "0"}, Image: page.ImageForm{Most: images.MaxUpload}}
	if of == nil {
		form.Key = rand.Text()
		return form
	}
	local := func(at time.Time) string { return at.In(page.Zone(of.Zone)).Format(page.LocalLayout) }
	form.Show = of
	form.Values = map[string]string{
		"title": of.Title, "venue": of.Venue, "description": of.Description, "price": strconv.FormatInt(of.Price, 10), "time_zone": of.Zone,
		"starts_at": local(of.Starts), "sales_open_at": local(of.Opens), "sales_close_at": local(of.Closes),
		"capacity": strconv.Itoa(of.Capacity), "limit_per_user": strconv.Itoa(of.Limit), "image_alt": of.Alt,
	}
	sum := fnv.New64a()
	for _, name := range formFields() {
		_, _ = sum.Write([]byte(form.Values[name] + "\x00")) // it never fails
	}
	form.Of = hex.EncodeToString(sum.Sum(nil))
	return form
}

// repeatable tells forms of new shows apart: one that is sent again as it was, by a second press or from the page before, makes the same
// show. What was changed in it since makes another.
func repeatable(values url.Values) string {
	if values.Get("key") == "" {
		return ""
	}
	return values.Encode()
}

// overtaken returns the fields of a form that differ from what is stored, where that is not what the form was made from: somebody else has
// changed the show since.
func overtaken(values url.Values, stored page.Show) (fields []string) {
	now := storedForm(&stored)
	if of := values.Get("of"); of == "" || of == now.Of {
		return nil
	}
	for _, name := range formFields() {
		if strings.TrimSpace(browserLines(values.Get(name))) != now.Values[name] {
			fields = append(fields, name)
		}
	}
	return fields
}

// browserLines undoes what browsers make of each line's end, two characters.
func browserLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// readShowForm reads what was typed into the form of a show, by the same rules as readShow. A time that still stands as the stored show
// had it in the form is that of the show, seconds and all. It returns an *invalid.Error with every fault.
func readShowForm(values url.Values, stored *page.Show) (show.Draft, stock.Terms, error) {
	var bad invalid.Error
	text := func(name string) string { return strings.TrimSpace(values.Get(name)) }
	whole := func(name string) int64 {
		if text(name) == "" {
			bad.Add(name, "required", "must be given")
			return 0
		}
		n, err := strconv.ParseInt(text(name), 10, 32)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // what is too large is told by the check
			bad.Add(name, "type", "must be a whole number")
		}
		return n
	}
	draft := show.Draft{
		Title: values.Get("title"), Venue: values.Get("venue"), ImageAlt: values.Get("image_alt"), Price: whole("price"),
		Description: browserLines(values.Get("description")),
		TimeZone:    cmp.Or(text("time_zone"), show.DefaultTimeZone),
	}
	terms := stock.Terms{Capacity: int(whole("capacity"))}
	if text("limit_per_user") != "" {
		terms.Limit = int(whole("limit_per_user"))
	}
	was := page.Show{}
	if stored != nil && stored.Zone == draft.TimeZone {
		was = *stored
	}
	for _, field := range []struct {
		name   string
		at     *time.Time
		stored time.Time
	}{{"starts_at", &draft.StartsAt, was.Starts}, {"sales_open_at", &draft.SalesOpenAt, was.Opens}, {"sales_close_at", &draft.SalesCloseAt, was.Closes}} {
		in := page.Zone(draft.TimeZone)
		if !field.stored.IsZero() && text(field.name) == field.stored.In(in).Format(page.LocalLayout) {
			*field.at = field.stored
			continue
		}
		at, code := parseLocal(text(field.name), in)
		if *field.at = at; code != "" {
			bad.Add(field.name, code, "must be a time that clocks there show")
		}
	}
	draft.Check(&bad)
	terms.Check(&bad)
	return draft, terms, bad.OrNil()
}

// typedForm is a form with what was typed, and the faults beside its fields.
func (s *Server) typedForm(c echo.Context, of *page.Show, values url.Values, bad *invalid.Error) page.ShowForm {
	form := storedForm(of)
	form.Of, form.Key = values.Get("of"), values.Get("key")
	for _, name := range formFields() {
		form.Values[name] = strings.ToValidUTF8(values.Get(name), "\ufffd")
	}
	form.Faults = map[string]string{}
	for _, fault := range bad.Fields {
		if _, told := form.Faults[fault.Field]; !told {
			form.Faults[fault.Field] = s.faultText(c, fault)
		}
	}
	for _, name := range formFields() {
		if _, faulty := form.Faults[name]; faulty {
			form.First = name
			break
		}
	}
	return form
}
