package web

import (
	"encoding/base64"
	"encoding/binary"
	"time"
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
	if err != nil || len(raw) != 16 {
		return place{}, false
	}
	return place{
		startsAt: time.UnixMilli(int64(binary.BigEndian.Uint64(raw))).UTC(),
		id:       int64(binary.BigEndian.Uint64(raw[8:])),
	}, true
}
