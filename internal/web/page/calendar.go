package page

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Event is a show in a person's calendar. It has no end: nobody has told us when a show is over.
type Event struct {
	UID                            string // the same for ever, so that a calendar that reads it again has it once
	Stamp                          time.Time
	Start                          time.Time
	Summary, Location, Description string
}

// Calendar writes the event as a calendar file (RFC 5545). Times are UTC, which every calendar turns into its own zone.
func (e Event) Calendar() []byte {
	var file strings.Builder
	line := func(name, value string) { file.WriteString(fold(name + ":" + value)) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//NETicket//NETicket//KO")
	line("BEGIN", "VEVENT")
	line("UID", e.UID)
	line("DTSTAMP", icsTime(e.Stamp))
	line("DTSTART", icsTime(e.Start))
	line("SUMMARY", icsText(e.Summary))
	line("LOCATION", icsText(e.Location))
	line("DESCRIPTION", icsText(e.Description))
	line("STATUS", "CONFIRMED")
	line("END", "VEVENT")
	line("END", "VCALENDAR")
	return []byte(file.String())
}

func icsTime(at time.Time) string { return at.UTC().Format("20060102T150405Z") }

// icsText escapes what has a meaning in a value of type TEXT (section 3.3.11). Other control characters may not be there at all.
func icsText(text string) string {
	text = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`, `\`, `\\`, ";", `\;`, ",", `\,`).Replace(text)
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}

// fold ends a line, and breaks it after 75 bytes at most, never within a character (section 3.1). A line that goes on begins with a
// space, which counts.
func fold(line string) string {
	const most = 75
	var folded strings.Builder
	room := most
	for _, r := range line {
		if n := utf8.RuneLen(r); n > room {
			folded.WriteString("\r\n ")
			room = most - 1 - n
		} else {
			room -= n
		}
		folded.WriteRune(r)
	}
	return folded.String() + "\r\n"
}
