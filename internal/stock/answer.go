package stock

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// answer is what requests.lua said of one request: a word, and what belongs to it behind bars.
type answer string

// answerOf is the answer that a marker stands for, which was found after a lost reply; false: it is garbled, and proves nothing.
func answerOf(marker string, r Request) (answer, bool) {
	m, ok := ParseMarker(marker)
	if ok && (m.Units != r.Units || m.Show != r.Show) {
		return "conflict", true
	}
	return answer("repeat|" + marker), ok
}

// receipt returns what the answer means for the one who asked.
func (a answer) receipt(r Request) (Receipt, error) {
	word, rest, _ := strings.Cut(string(a), "|")
	switch word {
	case "ok":
		// What else requests.lua wrote into the marker is read when somebody asks for it.
		return Receipt{Marker: Marker{Kind: r.Kind, Units: r.Units, Show: r.Show, Entry: rest}}, nil
	case "repeat":
		if r.Kind == Cancel {
			return Receipt{Repeated: true}, nil
		}
		marker, ok := ParseMarker(rest)
		if !ok {
			return Receipt{}, fmt.Errorf("garbled marker of reservation %s", r.ID)
		}
		return Receipt{Marker: marker, Repeated: true}, nil
	case "failed":
		return Receipt{}, errors.Join(ErrUnavailable, errors.New(rest))
	}
	return Receipt{}, refusal(word, rest)
}

// refusal returns the error that a word stands for.
func refusal(word, rest string) error {
	switch word {
	case "conflict":
		return ErrConflict
	case "not_open":
		return &NotOpenError{Opens: time.UnixMilli(parseInt(rest)).UTC()}
	case "closed":
		return ErrClosed
	case "started":
		return ErrStarted
	case "limit":
		held, limit, _ := strings.Cut(rest, "|")
		return &LimitError{Held: int(parseInt(held)), Limit: int(parseInt(limit))}
	case "sold_out":
		return &SoldOutError{Left: int(parseInt(rest))}
	case "busy":
		return ErrBacklog
	case "fenced":
		return ErrFenced
	case "unloaded":
		return ErrUnloaded
	case "bad_state":
		return ErrGarbled
	case "paused":
		return ErrPaused
	}
	return fmt.Errorf("unknown answer %q of requests.lua", word)
}
