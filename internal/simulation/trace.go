package simulation

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/protocol"
)

// list names entries in the trace.
func (w *World) list(entries []*protocol.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%s(%s %s epoch %s seq %s)", e.ID, e.Kind, w.about(w.index[e.Reservation]), e.Epoch, e.Seq))
	}
	return strings.Join(all, " ")
}

// describe names what was decided in the trace.
func describe(d booking.Decided) string {
	var all []string
	for _, one := range d.Decisions {
		all = append(all, fmt.Sprintf("%s %s", one.Entry.Entry, one.Outcome))
	}
	return strings.Join(all, ", ")
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func sprint(answer protocol.Answer) string { return fmt.Sprint([]any(answer)...) }

func (s stage) String() string {
	return [...]string{"read the epoch", "pause", "distrust the shard", "make", "drain", "check the terms", "bump", "raise", "build", "load", "resume", "done"}[s]
}

// saw counts an answer.
func (w *World) saw(call string, answer protocol.Answer, fate fate) {
	if fate == answered {
		w.seen[call+": "+answer.Word()]++
	} else {
		w.seen[call+fate.String()]++
	}
}
