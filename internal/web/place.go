package web

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
)

// place is where one page of shows ended. A cursor holds it, so a page is right whatever was added before it meanwhile.
type place struct {
	startsAt time.Time
	id       int64
}

// String returns the cursor of the place.
func (p place) String() string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(p.startsAt.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(raw, uint64(p.id)))
}

func parsePlace(cursor string) (place, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	// The decoder skips line breaks, so the length in characters counts too.
	if err != nil || len(raw) != 16 || len(cursor) != base64.RawURLEncoding.EncodedLen(16) {
		return place{}, false
	}
	return place{
		startsAt: time.UnixMilli(int64(binary.BigEndian.Uint64(raw))).UTC(),
		id:       int64(binary.BigEndian.Uint64(raw[8:])),
	}, true
}

// positionCursor returns the cursor of a position in a customer's reservations.
func positionCursor(p booking.Position) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(p.BookedAt.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(raw, p.ID[:]...))
}

func parsePosition(cursor string) (booking.Position, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != 24 || len(cursor) != base64.RawURLEncoding.EncodedLen(24) {
		return booking.Position{}, false
	}
	at := time.UnixMilli(int64(binary.BigEndian.Uint64(raw))).UTC()
	// Outside of this no reservation was ever booked, and MySQL may not know such a time.
	return booking.Position{BookedAt: at, ID: uuid.UUID(raw[8:])}, at.Year() >= 2000 && at.Year() <= 9000
}
