package booking_test

import (
	"regexp"
	"testing"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
)

// Ids and numbers are for ever: what was written down by a customer must be found. The values are by another implementation.
func TestGoldenIDs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		user, show int64
		key        string
		id, number string
	}{
		{7, 42, "a", "f656fdc6-68e4-8863-9d71-516ea90b8174", "TWAH-DTMG-Q0BM"},
		{1, 1, "", "532deabf-8872-8cb4-b995-ab5a9cd49bf9", "K5DB-BAED-96ZS"},
		{1 << 62, 1, "key", "dc1739f8-1a84-8e6e-bcb4-b4fc766f9978", "SD5M-ZHV6-Z6BR"},
		{7, 42, "예매", "6800f712-af4b-88c0-aa0e-97d6fdcc1bc6", "M3MQ-TVYW-R6Y6"},
	} {
		id := booking.NewID(test.user, test.show, test.key)
		if id.String() != test.id || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
			t.Errorf("user %d, show %d, key %q: id %s, version %d; want %s", test.user, test.show, test.key, id, id.Version(), test.id)
		}
		if got := booking.Number(id); got != test.number {
			t.Errorf("number of %s is %s, want %s", id, got, test.number)
		}
	}
}

func TestNumberIsTheLow60Bits(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"00000000-0000-0000-0000-000000000000": "0000-0000-0000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff": "ZZZZ-ZZZZ-ZZZZ",
		"ffffffff-ffff-ffff-f000-000000000001": "0000-0000-0001",
		"00000000-0000-0000-0800-000000000000": "G000-0000-0000",
		"00000000-0000-0000-0000-000000000020": "0000-0000-0010",
	} {
		if got := booking.Number(uuid.MustParse(id)); got != want {
			t.Errorf("number of %s is %s, want %s", id, got, want)
		}
	}
	pattern := regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$`)
	for user := range int64(200) {
		if number := booking.Number(booking.NewID(user, 1, "a")); !pattern.MatchString(number) {
			t.Errorf("%q is not 12 characters of Crockford's base 32", number)
		}
	}
}

// The parts of an id cannot run into each other, and each of them counts.
func TestIDsDiffer(t *testing.T) {
	t.Parallel()
	type parts struct {
		user, show int64
		key        string
	}
	seen := map[uuid.UUID]parts{}
	for _, p := range []parts{{1, 2, ""}, {2, 1, ""}, {1, 2, "1"}, {12, 1, ""}, {1, 21, ""}, {1, 0, "2"}, {0, 1, "2"}, {1, 2, "\x00"},
		{1, 2, "12"}, {1, 2 << 8, ""}, {1 << 8, 2, ""}, {0, 0, "\x01\x02"}} {
		id := booking.NewID(p.user, p.show, p.key)
		if other, there := seen[id]; there {
			t.Errorf("%+v and %+v have the same id", p, other)
		}
		seen[id] = p
	}
}
