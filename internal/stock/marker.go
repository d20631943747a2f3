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

// ParseMarker reads "units|show|epoch|seq|entry" or, of a cancel, "epoch|seq|entry", as the scripts write it and in no other way.
func ParseMarker(text string) (Marker, bool) {
	parts := strings.Split(text, "|")
	if len(parts) != 3 && len(parts) != 5 {
		return Marker{}, false
	}
	ok := true
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		ok = ok && err == nil && strconv.FormatInt(n, 10) == text
		return n
	}
	var m Marker
	if len(parts) == 5 {
		m.Units, m.Show = int(number(parts[0])), number(parts[1])
		ok = ok && m.Units > 0 && m.Show > 0
		parts = parts[2:]
	}
	m.Epoch, m.Seq, m.Entry = number(parts[0]), number(parts[1]), parts[2]
	if !ok {
		return Marker{}, false
	}
	return m, true
}

// At is when Redis took the request: the time in the entry's id.
func (m Marker) At() time.Time { return EntryTime(m.Entry) }

// EntryTime returns the time in the id of a stream's entry, "milliseconds-sequence", in UTC; zero when it is none.
func EntryTime(id string) time.Time {
	text, _, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseUint(text, 10, 63) // it has no sign
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // of our own scripts: a number, or empty for none
	return n
}
