package protocol

import (
	"math"
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

// Request is what reserve and cancel get.
type Request struct {
	Reservation string
	User        int64
	Show        int64
	Units       int64
	MaxBacklog  int64 // of reserve
	Remember    int64 // seconds
	From, Trace string
}

// Reserve is reserve.lua.
func (s *Server) Reserve(r Request) (Answer, error) {
	if s.Subscribers == 0 && !s.Mistakes.NoFence {
		return Answer{"fenced"}, nil
	}
	units := itoa(r.Units)
	show, markers := s.Show(r.Show), s.markers(r.User)
	if marker, ok := markers.Get("r:" + r.Reservation); ok && !s.Mistakes.ForgetRepeats {
		if !strings.HasPrefix(marker, units+"|"+itoa(r.Show)+"|") {
			return Answer{"conflict"}, nil
		}
		return Answer{"repeat", marker}, nil
	}
	if answer := closedDoor(*show); answer != nil {
		return answer, nil
	}
	n, ok := numbersOf(*show, "epoch", "left", "seq", "settled", "limit", "opens", "closes")
	if !ok || r.Units < 1 || r.Remember < 1 {
		return Answer{"bad_state"}, nil
	}
	left, seq, settled, limit, opens, closes := n[1], n[2], n[3], n[4], n[5], n[6]
	switch now := float64(s.Now); {
	case now < opens:
		return Answer{"not_open", show.Text("opens")}, nil
	case now >= closes:
		return Answer{"closed"}, nil
	}
	wants, held := float64(r.Units), 0.0
	if limit > 0 {
		text, ok := s.UsersOf(r.Show).Get(itoa(r.User))
		if !ok {
			text = "0"
		}
		held, ok = number(text)
		if !ok || held != math.Floor(held) {
			return Answer{"bad_state"}, nil
		}
		if held+wants > limit {
			return Answer{"limit", int64(held), int64(limit)}, nil
		}
	}
	if left < wants {
		return Answer{"sold_out", int64(left)}, nil
	}
	if seq-settled >= float64(r.MaxBacklog) {
		return Answer{"busy"}, nil
	}
	epoch, next := show.Text("epoch"), whole(seq+1)
	id, ok := s.append(Entry{Kind: "reserve", Reservation: r.Reservation, Show: itoa(r.Show), User: itoa(r.User), Units: units,
		Epoch: epoch, Seq: next, From: r.From, Trace: r.Trace})
	if !ok {
		return Answer{"unloaded"}, nil
	}
	show.Set("left", whole(left-wants), "seq", next)
	if limit > 0 {
		s.UsersOf(r.Show).Set(itoa(r.User), whole(held+wants))
	}
	markers.Set("r:"+r.Reservation, units+"|"+itoa(r.Show)+"|"+epoch+"|"+next+"|"+id.String())
	markers.expire(s.Now, r.Remember)
	return Answer{"ok", int64(left - wants), id.String()}, nil
}

// Cancel is cancel.lua.
func (s *Server) Cancel(r Request) (Answer, error) {
	if s.Subscribers == 0 && !s.Mistakes.NoFence {
		return Answer{"fenced"}, nil
	}
	show, markers := s.Show(r.Show), s.markers(r.User)
	if answer := closedDoor(*show); answer != nil {
		return answer, nil
	}
	n, ok := numbersOf(*show, "epoch", "seq", "starts")
	if !ok || r.Remember < 1 {
		return Answer{"bad_state"}, nil
	}
	if float64(s.Now) >= n[2] {
		return Answer{"started"}, nil
	}
	epoch, field := show.Text("epoch"), "c:"+r.Reservation
	if marker, ok := markers.Get(field); ok {
		if digits := leadingDigits(marker); digits != "" && digits == epoch && strings.HasPrefix(marker[len(digits):], "|") {
			return Answer{"repeat"}, nil
		}
	}
	next := whole(n[1] + 1)
	id, ok := s.append(Entry{Kind: "cancel", Reservation: r.Reservation, Show: itoa(r.Show), User: itoa(r.User), Units: itoa(r.Units),
		Epoch: epoch, Seq: next, From: r.From, Trace: r.Trace})
	if !ok {
		return Answer{"unloaded"}, nil
	}
	show.Set("seq", next)
	markers.Set(field, epoch+"|"+next+"|"+id.String())
	markers.expire(s.Now, r.Remember)
	return Answer{"ok", id.String()}, nil
}

// closedDoor is the answer of a show that is not open, or nil.
func closedDoor(show Hash) Answer {
	switch state, ok := show.Get("state"); {
	case !ok || state == "unloaded":
		return Answer{"unloaded"}
	case state != "open":
		return Answer{"paused"}
	}
	return nil
}

// numbersOf is tonumber of each field; false where one is no number.
func numbersOf(h Hash, names ...string) (n [8]float64, ok bool) {
	for i, name := range names {
		if n[i], ok = h.numberOf(name); !ok {
			return n, false
		}
	}
	return n, true
}

func leadingDigits(text string) string {
	return text[:len(text)-len(strings.TrimLeft(text, "0123456789"))]
}
