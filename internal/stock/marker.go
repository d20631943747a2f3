package stock

import (
	"strconv"
	"strings"
	"time"
)

// Fields of a user's hash that hold the markers of a reservation.
func ReserveField(id string) string { return "r:" + id }

// CancelField is ReserveField for a cancel.
func CancelField(id string) string { return "c:" + id }

// field is where the marker of a request is.
func (r Request) field() string {
	if r.Kind == Cancel {
		return CancelField(r.ID)
	}
	return ReserveField(r.ID)
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
