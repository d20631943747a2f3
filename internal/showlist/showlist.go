// Package showlist reads lists of shows that people and programs write: JSON lines, or CSV with a header line. A show in it has the
// fields of POST /api/v1/admin/shows, and is refused for what is refused there. A list is good or bad as a whole, and every fault of
// it is told, with its line.
package showlist

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// Show is a show that is to be made.
type Show struct {
	show.Draft
	stock.Terms
}

// Format is how a list is written.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl" // a JSON object a line
	CSV       Format = "csv"   // RFC 4180, in UTF-8; the first line names the fields, in any order
)

// Formats returns every format.
func Formats() []Format { return []Format{JSONLines, CSV} }

const (
	// maxSize bounds what a list may have, in bytes: all of it is held in memory, as nothing is made unless all of it is good.
	maxSize = 256 << 20
	// maxLine is what a show may have, in bytes, here as in a request.
	maxLine = 64 << 10
	// maxFaults is how many faults are kept: the others are counted.
	maxFaults = 1000
)

// Read reads a list to its end. Without a format it goes by the content. Where the list is bad it returns *Faults; any other error
// is about the reading itself.
func Read(from io.Reader, format Format) ([]Show, error) { return read(from, format, maxSize) }

func read(from io.Reader, format Format, most int64) ([]Show, error) {
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the list of shows: %w", err)
	case int64(len(data)) > most:
		return nil, fmt.Errorf("read the list of shows: it has more than %d bytes; split it", most)
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return nil, errors.New("read the list of shows: it is UTF-16; save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if format == "" {
		format = formatOf(data)
	}
	var l list
	switch {
	case len(bytes.TrimSpace(data)) == 0:
	case format == CSV:
		l.readCSV(data)
	default:
		l.readJSON(data)
	}
	switch {
	case l.faults.Total > 0:
		return nil, &l.faults
	case len(l.shows) == 0:
		return nil, errors.New("read the list of shows: there is no show in it")
	}
	return l.shows, nil
}

// formatOf tells the formats apart: a header does not begin like an object, nor like the array that some take for JSON lines.
func formatOf(data []byte) Format {
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		return JSONLines
	}
	return CSV
}

// list is a list that is being read.
type list struct {
	shows  []Show
	faults Faults
}

// add checks a show of a line that was decoded, or notes why it was not.
func (l *list) add(line int, s Show, err error) {
	var bad invalid.Error
	if err == nil {
		s.Draft.Check(&bad)
		s.Terms.Check(&bad)
		err = bad.OrNil()
	}
	if err != nil {
		l.faults.add(line, err)
		return
	}
	l.shows = append(l.shows, s)
}

// tooLong reports a line of more bytes than a show may have.
func (l *list) tooLong(line, size int) bool {
	if size > maxLine {
		l.faults.add(line, invalid.NewMalformed("", "too_long", fmt.Sprintf("has %d bytes, and may have %d", size, maxLine)))
	}
	return size > maxLine
}
