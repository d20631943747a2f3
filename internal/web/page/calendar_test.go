package page

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCalendar(t *testing.T) {
	t.Parallel()
	seoul := time.FixedZone("KST", 9*60*60)
	event := Event{
		UID: "0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1", Stamp: time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC),
		Start: time.Date(2026, 6, 1, 8, 30, 0, 0, seoul), Summary: `Swan, "Lake"; a\b`, Location: "서울\x00\x1b", Description: "one\r\ntwo\nthree\rfour",
	}
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//NETicket//NETicket//KO
BEGIN:VEVENT
UID:0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1
DTSTAMP:20260503T120000Z
DTSTART:20260531T233000Z
SUMMARY:Swan\, "Lake"\; a\\b
LOCATION:서울
DESCRIPTION:one\ntwo\nthree\nfour
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if got := string(event.Calendar()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A long line is broken after 75 bytes at most, never within a character; put together it is what it was.
func TestLongLines(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "SUMMARY:" + strings.Repeat("a", 67), "SUMMARY:" + strings.Repeat("a", 68), strings.Repeat("가", 200), "a" + strings.Repeat("가", 200),
		"ab" + strings.Repeat("🎻", 100), strings.Repeat("x", 1000),
	} {
		folded := fold(text)
		lines := strings.Split(strings.TrimSuffix(folded, "\r\n"), "\r\n")
		whole := lines[0]
		for i, line := range lines {
			if len(line) > 75 || !utf8.ValidString(line) {
				t.Errorf("%.20s...: line %d has %d bytes: %q", text, i, len(line), line)
			}
			if i > 0 {
				if len(lines[i-1]) < 72 {
					t.Errorf("%.20s...: line %d is broken early", text, i-1)
				}
				whole += strings.TrimPrefix(line, " ")
			}
		}
		if whole != text || !strings.HasSuffix(folded, "\r\n") {
			t.Errorf("%q became %q", text, whole)
		}
	}
}
