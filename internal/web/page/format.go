package page

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// digits writes a number as addresses and attributes have it.
func digits[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// group writes a number with a comma between groups of three digits, as both languages do.
func group[N int | int64](n N) string {
	digits := digits(n)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// zonesRead are the zones that were read, by name: a page tells many times, and to read a zone takes longer than all the rest of a time.
// There are some six hundred.
var zonesRead sync.Map

// Zone returns the zone of that name, or UTC: a name that is none is told as such where it comes in, and times in it mean nothing.
func Zone(name string) *time.Location {
	if where, ok := zonesRead.Load(name); ok {
		return where.(*time.Location)
	}
	where, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zonesRead.Store(name, where)
	return where
}

var weekdays = map[Lang][7]string{
	Korean:  {"일", "월", "화", "수", "목", "금", "토"},
	English: {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
}

// date writes the day of a time, as it is called in a zone.
func (l Lang) date(at time.Time, in string) string {
	at = at.In(Zone(in))
	day := weekdays[l][at.Weekday()]
	if l == Korean {
		return at.Format("2006년 1월 2일") + " (" + day + ")"
	}
	return day + " " + at.Format("2 Jan 2006")
}

// clock writes the time of day, with the zone's name where that is not Korea's.
func (l Lang) clock(at time.Time, in string) string {
	at = at.In(Zone(in))
	text := at.Format("15:04")
	if l == Korean {
		text = map[bool]string{true: "오전", false: "오후"}[at.Hour() < 12] + "\u00a0" + at.Format("3:04") // on one line
	}
	if in != "Asia/Seoul" {
		text += " (" + strings.ReplaceAll(in, "_", " ") + ")"
	}
	return text
}

// when writes day and time.
func (l Lang) when(at time.Time, in string) string {
	separator := ", "
	if l == Korean {
		separator = " "
	}
	return l.date(at, in) + separator + l.clock(at, in)
}

// Moment writes a time to the second, for admins, who compare times with those of logs: as it is called in Korea.
func Moment(at time.Time) string { return at.In(Zone("Asia/Seoul")).Format("2006-01-02 15:04:05") }

// pace writes how many a second.
func pace(perSecond float64) string {
	if perSecond > 0 && perSecond < 10 {
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return group(int64(math.Round(perSecond)))
}

// signed writes a difference: with a plus where it is above.
func signed(n int) string {
	if n > 0 {
		return "+" + group(n)
	}
	return group(n)
}

// megabytes writes a size.
func megabytes(bytes int64) string { return digits(bytes>>20) + " MB" }

// iso writes a time for machines.
func iso(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// millis writes a time as milliseconds since 1970, as the module reads it.
func millis(at time.Time) int64 { return at.UnixMilli() }

// LocalLayout is how a form's field of type datetime-local holds a time.
const LocalLayout = "2006-01-02T15:04"

// paragraphs returns the paragraphs of a text: what stands between empty lines, each with its lines.
func paragraphs(text string) [][]string {
	var paragraphs [][]string
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.Trim(part, "\n"); strings.TrimSpace(part) != "" {
			paragraphs = append(paragraphs, strings.Split(part, "\n"))
		}
	}
	return paragraphs
}

// part is what follows a "<" of a title, up to the next; of the first part, none is before it and First is empty.
type part struct{ First, Rest string }

// bracketed cuts a title before each "<". Korean titles stand in such brackets, and browsers would leave an opening one behind at the
// end of a line, so its first letter is told apart.
func bracketed(title string) []part {
	before, after, found := strings.Cut(title, "<")
	parts := []part{{Rest: before}}
	for found {
		before, after, found = strings.Cut(after, "<")
		_, size := utf8.DecodeRuneInString(before)
		parts = append(parts, part{before[:size], before[size:]})
	}
	return parts
}
