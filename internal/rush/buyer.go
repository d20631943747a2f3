package rush

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/loadgen"
)

const (
	// patience is how long a buyer keeps trying, from the moment of the first try. The answer at that point is the last.
	patience = 60 * time.Second
	// pressAgain is how long a buyer waits after a lost reply before sending the same booking again.
	pressAgain = 200 * time.Millisecond
	// comeBack is for answers that ought to have Retry-After and have not, and for refused connections.
	comeBack = time.Second
	// key is everyone's Idempotency-Key: keys are scoped to a user and a show.
	key = "rush"
)

// buyer is someone who wants one ticket, and what the API has answered. Only one goroutine at a time has it.
type buyer struct {
	user  int64
	token string

	due         time.Time // of the first try
	first, last loadgen.Answer
	tries       int
	dropped     bool // the first reply was lost on purpose
	lost        bool // some reply was lost: the booking may have been made before the last try
}

// id is that of the buyer's reservation, if there is one.
func (b *buyer) id(show int64) uuid.UUID { return booking.NewID(b.user, show, key) }

// answered notes an answer and says whether the buyer sends the booking again.
func (b *buyer) answered(a loadgen.Answer) loadgen.Again {
	a.Body = nil
	if b.tries == 0 {
		b.first, b.due = a, a.Due
	}
	b.tries++
	b.lost = b.lost || a.Outcome != loadgen.Answered || a.Code == "unknown"
	done := a.Due.Add(a.Latency)
	b.last = a
	b.last.Latency = done.Sub(b.due)
	again := nextTry(a)
	if again.Send && done.Add(again.After).After(b.due.Add(patience)) {
		return loadgen.Again{}
	}
	return again
}

// nextTry is what a sensible client does after an answer: come back when asked to, with the same key.
func nextTry(a loadgen.Answer) loadgen.Again {
	after := comeBack
	switch {
	case a.Outcome == loadgen.Dropped, a.Outcome == loadgen.Cut, a.Outcome == loadgen.TimedOut:
		after = pressAgain
	case a.Outcome != loadgen.Answered:
	case a.Status == http.StatusTooManyRequests, a.Status >= 500:
		if a.RetryAfter > 0 {
			after = a.RetryAfter
		}
	default:
		return loadgen.Again{}
	}
	// Up to half as long again: those who were turned away together must not come back together.
	return loadgen.Again{Send: true, After: after + rand.N(after/2)} //nolint:gosec // jitter
}

// booked reports whether the last answer was a reservation.
func (b *buyer) booked() bool {
	return b.last.Outcome == loadgen.Answered && b.last.Status >= 200 && b.last.Status < 300
}

// turnedAway reports whether the buyer was still asked to come back when giving up.
func (b *buyer) turnedAway() bool {
	return b.last.Outcome == loadgen.Answered && (b.last.Status == http.StatusTooManyRequests || b.last.Status == http.StatusServiceUnavailable)
}

// refused reports whether the last answer was a definite no. None of the buyer's tries may have left a row then.
func (b *buyer) refused() bool {
	return b.last.Outcome == loadgen.Answered && b.last.Status == http.StatusConflict
}
