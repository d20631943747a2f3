package stock

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Kind of a request, and of the entry that it made.
type Kind string

// The kinds, as requests.lua writes them.
const (
	Reserve Kind = "reserve"
	Cancel  Kind = "cancel"
)

// Entry is what requests.lua appended to a stream for one request.
type Entry struct {
	Entry string    // id in the stream
	At    time.Time // when it was appended, by Redis's clock
	Kind  Kind
	ID    uuid.UUID // of the reservation
	Show  int64
	User  int64
	Units int
	Epoch int64
	Seq   int64
	From  string // API instance to wake, or ""
	Trace string // trace context, or ""
}

// Marker is what a user's hash remembers of one request. It carries no outcome: whether the entry was recorded is known to the
// row alone.
type Marker struct {
	Kind  Kind
	Units int   // 0 for a cancel of a build before version 2
	Show  int64 // 0 for a cancel of a build before version 2
	Epoch int64
	Seq   int64
	Entry string // id of the stream's entry
}

// Entries and markers have one form, which requests.lua writes and this file reads: values that are joined by "|", in which the
// first is the version and the next five are the same for an entry and its marker (see requests.lua). Builds before version 2
// wrote entries with a field for each value, and markers without a version; both are still read.
const version = "2"

// beginning returns what the entry of (show, epoch, seq) begins with, and no other does.
func beginning(show, epoch, seq int64) string {
	b := make([]byte, 0, 48)
	b = append(b, version...)
	for _, n := range [...]int64{show, epoch, seq} {
		b = strconv.AppendInt(append(b, '|'), n, 10)
	}
	return string(append(b, '|'))
}

// Most that the values may be, so that MySQL can store them.
const (
	mostNumber = 1 << 62
	mostUnits  = 1 << 30
	mostYear   = 9000 // MySQL stores times up to the year 9999
)

// values are read in their order; the first that is not allowed is remembered.
type values struct {
	rest string
	err  error
}

// next returns the next value.
func (v *values) next() (text string) {
	text, v.rest, _ = strings.Cut(v.rest, "|")
	return text
}

// number reads a number from 1 to most, as Redis writes it and in no other way.
func (v *values) number(name, text string, most int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > most || text[0] == '+' || text[0] == '0' {
		v.fail(name, text)
	}
	return n
}

func (v *values) kind(text string) Kind {
	kind := Kind(text)
	if kind != Reserve && kind != Cancel {
		v.fail("kind", text)
	}
	return kind
}

// head reads what an entry and its marker have in common.
func (v *values) head() Marker {
	if text := v.next(); text != version {
		v.fail("version", text)
	}
	var m Marker
	m.Show, m.Epoch = v.number("show", v.next(), mostNumber), v.number("epoch", v.next(), mostNumber)
	m.Seq, m.Kind = v.number("seq", v.next(), mostNumber), v.kind(v.next())
	m.Units = int(v.number("units", v.next(), mostUnits))
	return m
}

func (v *values) fail(name, value string) {
	if v.err == nil {
		v.err = fmt.Errorf("%s %.100q is not allowed", name, value)
	}
}

// ParseEntry reads an entry. What it accepts can be stored in a row, whatever the values; the error names the value.
func ParseEntry(raw redis.XMessage) (Entry, error) {
	packed, ok := raw.Values["e"].(string)
	if !ok {
		return parseEntry1(raw)
	}
	v := values{rest: packed}
	m := v.head()
	e := Entry{Entry: raw.ID, Kind: m.Kind, Show: m.Show, Epoch: m.Epoch, Seq: m.Seq, Units: m.Units,
		User: v.number("user", v.next(), mostNumber)}
	id := v.next()
	e.From, e.Trace = v.next(), v.rest // which may be any text
	return e.checked(id, &v)
}

// showOf returns the show that an entry is about, or 0. It reads no more than that, so the rest may be garbled.
func showOf(raw redis.XMessage) int64 {
	text, _ := raw.Values["show"].(string)
	if packed, ok := raw.Values["e"].(string); ok {
		v := values{rest: packed}
		if v.next() == version {
			text = v.next()
		}
	}
	return parseInt(text)
}

// parseEntry1 reads an entry of a build before version 2.
func parseEntry1(raw redis.XMessage) (Entry, error) {
	var v values
	of := func(field string) string { s, _ := raw.Values[field].(string); return s }
	number := func(field string, most int64) int64 { return v.number(field, of(field), most) }
	if of("v") != "1" {
		v.fail("v", of("v"))
	}
	e := Entry{Entry: raw.ID, Show: number("show", mostNumber), User: number("user", mostNumber), Units: int(number("units", mostUnits)),
		Epoch: number("epoch", mostNumber), Seq: number("seq", mostNumber), Kind: v.kind(of("kind")), From: of("from"), Trace: of("trace")}
	return e.checked(of("id"), &v)
}

// checked returns the entry with the reservation's id and the time in its own.
func (e Entry) checked(id string, v *values) (Entry, error) {
	var err error
	if e.ID, err = uuid.Parse(id); err != nil || e.ID.String() != id {
		v.fail("id", id)
	}
	if e.At = EntryTime(e.Entry); e.At.IsZero() || e.At.Year() > mostYear {
		v.fail("entry id", e.Entry)
	}
	return e, v.err
}

// ParseMarker reads a marker, as the scripts write it and in no other way.
func ParseMarker(text string) (Marker, bool) {
	v := values{rest: text}
	var m Marker
	switch strings.Count(text, "|") {
	case 6:
		m = v.head()
	case 4: // units|show|epoch|seq|entry, of a build before version 2
		m.Kind = Reserve
		m.Units, m.Show = int(v.number("units", v.next(), mostUnits)), v.number("show", v.next(), mostNumber)
		m.Epoch, m.Seq = v.number("epoch", v.next(), mostNumber), v.number("seq", v.next(), mostNumber)
	case 2: // epoch|seq|entry, the same of a cancel
		m.Kind, m.Epoch, m.Seq = Cancel, v.number("epoch", v.next(), mostNumber), v.number("seq", v.next(), mostNumber)
	default:
		return Marker{}, false
	}
	m.Entry = v.rest
	if v.err != nil {
		return Marker{}, false
	}
	return m, true
}
