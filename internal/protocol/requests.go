package protocol

import (
	"math"
	"regexp"
	"strings"
)

// Answer is what a script returned: strings, and numbers as int64.
type Answer []any

// Word is the first value of an answer.
func (a Answer) Word() string { return a.Text(0) }

// Text is a string of an answer, or "".
func (a Answer) Text(i int) string {
	if i >= len(a) {
		return ""
	}
	s, _ := a[i].(string)
	return s
}

// Request is one that requests gets.
type Request struct {
	Kind        string // Reserve or Cancel
	Reservation string
	User        int64
	Show        int64
	Units       int64
	Rest        string // instance that waits and trace context, joined by "|"
}

// Kinds of requests.
const (
	Reserve = "reserve"
	Cancel  = "cancel"
)

// Bounds are what requests gets for all requests of a call.
type Bounds struct {
	MaxBacklog int64
	Remember   int64 // seconds
}

// Text is an answer of requests: a word, and what belongs to it behind bars.
type Text string

// Word is what a text begins with.
func (t Text) Word() string {
	word, _, _ := strings.Cut(string(t), "|")
	return word
}

// Requests is requests.lua.
func (s *Server) Requests(b Bounds, list ...Request) []Text {
	answers := make([]Text, len(list))
	var failed Text
	left := map[int64]float64{} // of a mistake: what each show had left when the call began
	for i, r := range list {
		switch {
		case s.Subscribers == 0 && !s.Mistakes.NoFence:
			answers[i] = "fenced"
			continue
		case failed != "":
			answers[i] = failed
			continue
		}
		if _, read := left[r.Show]; !read {
			left[r.Show], _ = s.Show(r.Show).numberOf("left")
		}
		if r.Kind == Cancel {
			answers[i] = s.cancel(b, r)
		} else {
			answers[i] = s.reserve(b, r, left[r.Show])
		}
		if answers[i].Word() == "failed" {
			failed = answers[i]
		}
	}
	return answers
}

var (
	reserved      = regexp.MustCompile(`^2\|(\d+)\|\d+\|\d+\|reserve\|(\d+)\|`)
	reservedOlder = regexp.MustCompile(`^(\d+)\|(\d+)\|\d+\|\d+\|[^|]+$`)
	cancelled     = regexp.MustCompile(`^2\|\d+\|(\d+)\|`)
	cancelledOld  = regexp.MustCompile(`^(\d+)\|\d+\|[^|]+$`)
)

// repeat is the answer of a reservation that has a marker.
func repeat(marker string, r Request) Text {
	show, units := "", ""
	if found := reserved.FindStringSubmatch(marker); found != nil {
		show, units = found[1], found[2]
	} else if found := reservedOlder.FindStringSubmatch(marker); found != nil {
		units, show = found[1], found[2]
	}
	if show != "" && (show != itoa(r.Show) || units != itoa(r.Units)) {
		return "conflict"
	}
	return Text("repeat|" + marker)
}

func (s *Server) reserve(b Bounds, r Request, atFirst float64) Text {
	show, markers := s.Show(r.Show), s.markers(r.User)
	field := "r:" + r.Reservation
	if marker, ok := markers.Get(field); ok && !s.Mistakes.ForgetRepeats {
		return repeat(marker, r)
	}
	if answer := closedDoor(*show); answer != "" {
		return answer
	}
	n, ok := numbersOf(*show, "epoch", "left", "seq", "settled", "limit", "opens", "closes")
	if !ok || b.Remember < 1 {
		return "bad_state"
	}
	left, seq, settled, limit, opens, closes := n[1], n[2], n[3], n[4], n[5], n[6]
	if s.Mistakes.StaleLeft {
		left = atFirst
	}
	switch now := float64(s.Now); {
	case now < opens:
		return Text("not_open|" + show.Text("opens"))
	case now >= closes:
		return "closed"
	case r.Units < 1:
		return "bad_state"
	}
	wants, held := float64(r.Units), 0.0
	if limit > 0 {
		text, ok := s.UsersOf(r.Show).Get(itoa(r.User))
		if !ok {
			text = "0"
		}
		held, ok = number(text)
		if !ok || held != math.Floor(held) {
			return "bad_state"
		}
		if held+wants > limit {
			return Text("limit|" + whole(held) + "|" + whole(limit))
		}
	}
	if left < wants {
		return Text("sold_out|" + whole(left))
	}
	if seq-settled >= float64(b.MaxBacklog) {
		return "busy"
	}
	id, refused := s.enter(b, r, field)
	if refused != "" && (refused == "unloaded" || !s.Mistakes.TakeWithoutEntry) {
		return refused
	}
	show.Set("left", whole(left-wants))
	if limit > 0 {
		s.UsersOf(r.Show).Set(itoa(r.User), whole(held+wants))
	}
	if refused != "" {
		return refused
	}
	return Text("ok|" + id.String())
}

func (s *Server) cancel(b Bounds, r Request) Text {
	show, markers := s.Show(r.Show), s.markers(r.User)
	if answer := closedDoor(*show); answer != "" {
		return answer
	}
	n, ok := numbersOf(*show, "epoch", "seq", "starts")
	switch {
	case !ok || b.Remember < 1:
		return "bad_state"
	case float64(s.Now) >= n[2]:
		return "started"
	}
	field := "c:" + r.Reservation
	if marker, ok := markers.Get(field); ok {
		found := cancelled.FindStringSubmatch(marker)
		if found == nil {
			found = cancelledOld.FindStringSubmatch(marker)
		}
		if found != nil && found[1] == show.Text("epoch") {
			return "repeat"
		}
	}
	id, refused := s.enter(b, r, field)
	if refused != "" {
		return refused
	}
	return Text("ok|" + id.String())
}

// enter appends the entry of a request, counts it, and writes its marker.
func (s *Server) enter(b Bounds, r Request, field string) (ID, Text) {
	show, markers := s.Show(r.Show), s.markers(r.User)
	seq, _ := show.numberOf("seq")
	epoch, next := show.Text("epoch"), whole(seq+1)
	id, ok, err := s.append(Entry{Kind: r.Kind, Reservation: r.Reservation, Show: itoa(r.Show), User: itoa(r.User), Units: itoa(r.Units),
		Epoch: epoch, Seq: next, Rest: r.Rest})
	if err != nil {
		return ID{}, Text("failed|" + err.Error())
	}
	if !ok {
		return ID{}, "unloaded"
	}
	show.Set("seq", next)
	markers.Set(field, strings.Join([]string{"2", itoa(r.Show), epoch, next, r.Kind, itoa(r.Units), id.String()}, "|"))
	markers.expire(s.Now, b.Remember)
	return id, ""
}

// closedDoor is the answer of a show that is not open, or "".
func closedDoor(show Hash) Text {
	switch state, ok := show.Get("state"); {
	case !ok || state == "unloaded":
		return "unloaded"
	case state != "open":
		return "paused"
	}
	return ""
}

// numbersOf is tonumber of each field; false where one is no integer.
func numbersOf(h Hash, names ...string) (n [8]float64, ok bool) {
	for i, name := range names {
		if n[i], ok = h.numberOf(name); !ok || n[i] != math.Floor(n[i]) {
			return n, false
		}
	}
	return n, true
}
