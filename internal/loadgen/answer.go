package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Outcome is what became of a request.
type Outcome string

// The outcomes. Only Answered has a status.
const (
	Answered  Outcome = "answered"
	Dropped   Outcome = "reply dropped" // as its request wanted
	Refused   Outcome = "refused"       // the server did not take the connection
	Cut       Outcome = "cut"           // the server closed or reset the connection before the whole answer was there
	TimedOut  Outcome = "timed out"     // no connection, or no whole answer, in time
	NoSocket  Outcome = "no socket"     // this machine has no port or file left: the generator's fault, not the server's
	Malformed Outcome = "malformed"     // what came is no HTTP/1.1, or too large
	Cancelled Outcome = "cancelled"     // the run ended first; it may have been sent
)

// Answer is what became of one sending of a request.
type Answer struct {
	Outcome    Outcome
	Status     int
	Code       string        // of a problem (RFC 9457); else ""
	RetryAfter time.Duration // 0: the server did not say
	Body       []byte        // the caller's until it returns
	Err        error         // nil if answered or dropped

	Due     time.Time
	Latency time.Duration // from when it was due to the last byte, or to the failure
	Waited  time.Duration // of this, before the generator had a connection free and began
}

// Word is the answer in short: "202", "409 sold_out", or the outcome.
func (a Answer) Word() string {
	switch {
	case a.Outcome != Answered:
		return string(a.Outcome)
	case a.Code != "":
		return strconv.Itoa(a.Status) + " " + a.Code
	default:
		return strconv.Itoa(a.Status)
	}
}

// errMalformed wraps what is wrong with an answer.
var errMalformed = errors.New("the answer is malformed")

// outcomeOf says what an error of a dial, a write or a read means.
func outcomeOf(ctx context.Context, err error) Outcome {
	timeout, _ := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case err == nil:
		return Answered
	case ctx.Err() != nil:
		return Cancelled
	case errors.Is(err, errMalformed):
		return Malformed
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EADDRINUSE):
		return NoSocket
	case errors.Is(err, os.ErrDeadlineExceeded), timeout != nil && timeout.Timeout():
		return TimedOut
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Cut
	default:
		return Refused // no route, unreachable
	}
}

// problemCode returns the code of a problem's JSON, or "".
func problemCode(body []byte) string {
	var problem struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &problem) != nil {
		return ""
	}
	return problem.Code
}
