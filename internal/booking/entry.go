package booking

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

// Kind of an entry.
type Kind string

const (
	Reserve Kind = "reserve"
	Cancel  Kind = "cancel"
)

// Entry is what reserve.lua or cancel.lua appended to the stream.
type Entry struct {
	Entry string    // id in the stream
	At    time.Time // when it was appended, by Redis's clock
	Kind  Kind
	ID    uuid.UUID
	Show  int64
	User  int64
	Units int
	Epoch int64
	Seq   int64
	From  string // API instance to wake, or ""
	Trace string
}

// decode reads an entry. What it accepts can be stored in a row, whatever the values; the error names the field.
func decode(raw stream.Entry) (Entry, error) {
	d := decoder{fields: raw.Values}
	if v := d.text("v"); v != "1" {
		d.fail("v", v)
	}
	e := Entry{
		Entry: raw.ID, At: stock.EntryTime(raw.ID), Kind: Kind(d.text("kind")),
		Show: d.number("show", 1<<62), User: d.number("user", 1<<62), Units: int(d.number("units", 1<<30)),
		Epoch: d.number("epoch", 1<<62), Seq: d.number("seq", 1<<62), From: d.text("from"), Trace: d.text("trace"),
	}
	if e.Kind != Reserve && e.Kind != Cancel {
		d.fail("kind", string(e.Kind))
	}
	id, err := uuid.Parse(d.text("id"))
	if err != nil || id.String() != d.text("id") {
		d.fail("id", d.text("id"))
	}
	e.ID = id
	// MySQL stores times up to the year 9999.
	if e.At.IsZero() || e.At.Year() > 9000 {
		d.fail("entry id", raw.ID)
	}
	return e, d.err
}

// decoder keeps the first fault.
type decoder struct {
	fields map[string]any
	err    error
}

func (d *decoder) text(field string) string {
	s, _ := d.fields[field].(string)
	return s
}

func (d *decoder) number(field string, most int64) int64 {
	n, err := strconv.ParseInt(d.text(field), 10, 64)
	if err != nil || n < 1 || n > most || strconv.FormatInt(n, 10) != d.text(field) {
		d.fail(field, d.text(field))
	}
	return n
}

func (d *decoder) fail(field, value string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s %.100q is not allowed", field, value)
	}
}
