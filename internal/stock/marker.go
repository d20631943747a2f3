package stock

import (
	"strconv"
	"strings"
	"time"
)

// Marker is what a user's hash remembers of one request, written by reserve.lua or cancel.lua. It carries no outcome:
// whether the entry was recorded is known to the row alone.
type Marker struct {
	Units int   // 0 for a cancel
	Show  int64 // 0 for a cancel
	Epoch int64
	Seq   int64
	Entry string // id of the stream's entry
}

// Fields of a user's hash that hold the markers of a reservation.
func ReserveField(id string) string { return "r:" + id }

// CancelField is ReserveField for a cancel.
func CancelField(id string) string { return "c:" + id }

// ParseMarker reads "units|show|epoch|seq|entry" or, of a cancel, "epoch|seq|entry".
func ParseMarker(text string) (Marker, bool) {
	parts := strings.Split(text, "|")
	var m Marker
	switch len(parts) {
	case 5:
		units, err := strconv.Atoi(parts[0])
		show, err2 := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || err2 != nil {
			return Marker{}, false
		}
		m.Units, m.Show = units, show
		parts = parts[2:]
	case 3:
	default:
		return Marker{}, false
	}
	var err, err2 error
	m.Epoch, err = strconv.ParseInt(parts[0], 10, 64)
	m.Seq, err2 = strconv.ParseInt(parts[1], 10, 64)
	m.Entry = parts[2]
	return m, err == nil && err2 == nil
}

// At is when Redis took the request: the time in the entry's id.
func (m Marker) At() time.Time { return EntryTime(m.Entry) }

// EntryTime returns the time in the id of a stream's entry, "milliseconds-sequence", in UTC; zero when it is none.
func EntryTime(id string) time.Time {
	text, _, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // of our own scripts: a number, or empty for none
	return n
}
