package web

import (
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/stream"
)

// place is where one page of shows ended. A cursor holds it, so a page is right whatever was added before it meanwhile.
type place struct {
	rank     byte // of the order: see listing
	startsAt time.Time
	id       int64
}

// cursor returns the cursor of the place, for the query with this mark.
func (p place) cursor(mark uint32) string {
	raw := binary.BigEndian.AppendUint64([]byte{p.rank}, uint64(p.id))
	return cursor(p.startsAt, binary.BigEndian.AppendUint32(raw, mark))
}

// placeParser reads the cursors of the query with this mark, and no others: in another list the place means nothing.
func placeParser(mark uint32, ranks byte) func(text string) (place, bool) {
	return func(text string) (place, bool) {
		at, raw, ok := parseCursor(text, 1+8+4)
		if !ok || raw[0] >= ranks || binary.BigEndian.Uint32(raw[9:]) != mark {
			return place{}, false
		}
		return place{raw[0], at, int64(binary.BigEndian.Uint64(raw[1:]))}, true
	}
}

// positionCursor returns the cursor of a position in a customer's reservations.
func positionCursor(p booking.Position) string { return cursor(p.BookedAt, p.ID[:]) }

func parsePosition(text string) (booking.Position, bool) {
	at, id, ok := parseCursor(text, 16)
	if !ok {
		return booking.Position{}, false
	}
	return booking.Position{BookedAt: at, ID: uuid.UUID(id)}, true
}

// recordCursor returns the cursor of a record of the audit log. Its time is not needed to go on, but has every cursor look alike.
func recordCursor(r auditlog.Record) string {
	return cursor(r.At, binary.BigEndian.AppendUint64(nil, uint64(r.ID)))
}

func parseRecord(text string) (id int64, ok bool) {
	_, raw, ok := parseCursor(text, 8)
	if !ok {
		return 0, false
	}
	id = int64(binary.BigEndian.Uint64(raw))
	return id, id > 0
}

// letterCursor returns the cursor of a dead letter.
func letterCursor(id stream.LetterID) string {
	raw := binary.BigEndian.AppendUint64(nil, id.Seq)
	return cursor(id.BuriedAt(), binary.BigEndian.AppendUint32(raw, uint32(id.Shard)))
}

func parseLetter(text string) (stream.LetterID, bool) {
	at, raw, ok := parseCursor(text, 8+4)
	if !ok {
		return stream.LetterID{}, false
	}
	shard := int(binary.BigEndian.Uint32(raw[8:]))
	return stream.LetterID{Shard: shard, Ms: uint64(at.UnixMilli()), Seq: binary.BigEndian.Uint64(raw)}, true
}

// readCursor returns where a page begins: the zero value without a cursor.
func readCursor[P any](query url.Values, parse func(string) (P, bool), bad *invalid.Error) (after P) {
	if text := query.Get("cursor"); text != "" {
		var ok bool
		if after, ok = parse(text); !ok {
			bad.Add("cursor", "unknown", "must be a next_cursor of this very list")
		}
	}
	return after
}

// cursor writes down a time, to the millisecond, and an id.
func cursor(at time.Time, id []byte) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(raw, id...))
}

// parseCursor reads what cursor wrote of an id of n bytes, and nothing else.
func parseCursor(text string, n int) (at time.Time, id []byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder skips line breaks, so the length in characters counts too.
	if err != nil || len(raw) != 8+n || len(text) != base64.RawURLEncoding.EncodedLen(8+n) {
		return time.Time{}, nil, false
	}
	at = time.UnixMilli(int64(binary.BigEndian.Uint64(raw))).UTC()
	// Nothing starts or was booked outside of these years, and MySQL may not know such a time.
	return at, raw[8:], at.Year() >= 2000 && at.Year() <= 9000
}
