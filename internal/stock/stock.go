// Package stock owns the units left: the ledger in Redis that sells them, the scripts that are its only way in, the steps
// that load or resync a show, the fence with its guardian, and the write-back to MySQL.
//
// It guarantees that units are taken in the same instant in which an entry is appended to the shard's stream, or not at
// all, and that an entry is settled once: only an entry whose row is committed leaves the stream, and its units come back
// at most once. Who holds how many confirmed units is known to the booking package; stock asks it through Confirmed.
//
// Tables: stock, stock_snapshots, redis_servers, deployment. Keys: nt:{tag}:show:*, nt:{tag}:users:*. The scripts also write
// the entries, which package stream reads, and the markers, which package booking reads.
package stock

import (
	"errors"
	"fmt"
	"time"
)

// What a script may answer instead of doing its work; no unit was taken. Show-specific answers carry their figures in
// the types below.
var (
	// ErrFenced: nobody who has verified the shard's server subscribes to its channel.
	ErrFenced = errors.New("fenced: the shard's Redis server is not verified")
	// ErrUnloaded: Redis does not know the show, or what it knows is not trusted.
	ErrUnloaded = errors.New("the show is not loaded")
	// ErrGarbled is an ErrUnloaded whose hash is there, but lacks a field or holds one that is no number.
	ErrGarbled = fmt.Errorf("%w: what Redis holds of it is garbled", ErrUnloaded)
	// ErrPaused: a resync holds the show.
	ErrPaused = errors.New("the show is paused for a resync")
	// ErrBusy: there is too much to do already, and nothing was done for the request. It is one of the three errors below.
	ErrBusy = errors.New("too busy")
	// ErrBacklog: too many entries of the show wait for the recorder.
	ErrBacklog = fmt.Errorf("%w: too many bookings wait to be recorded", ErrBusy)
	// ErrQueueFull: too many requests of this process wait for their turn.
	ErrQueueFull = fmt.Errorf("%w: too many requests wait for their turn", ErrBusy)
	// ErrQueueWait: the request waited for its turn for too long.
	ErrQueueWait = fmt.Errorf("%w: the request's turn did not come in time", ErrBusy)
	// ErrClosed: the sale is over.
	ErrClosed = errors.New("the sale is closed")
	// ErrStarted: the show has started, so nothing of it can be cancelled.
	ErrStarted = errors.New("the show has started")
	// ErrConflict: the request key was used with another body.
	ErrConflict = errors.New("the request key was used with another body")
	// ErrUnavailable: Redis refused the request before it did anything (out of memory, a failed AOF write, a read-only replica, ...).
	ErrUnavailable = errors.New("redis refuses writes")
	// ErrUnknown: Redis did not answer in time and the marker did not tell either; the same request gives the answer.
	ErrUnknown = errors.New("redis did not answer in time")

	// ErrNoShow: there is no stock row of the show.
	ErrNoShow = errors.New("no such show")
)

// SoldOutError says that fewer units are left than were asked for.
type SoldOutError struct{ Left int }

func (e *SoldOutError) Error() string { return fmt.Sprintf("sold out: %d units left", e.Left) }

// NotOpenError says when the sale opens.
type NotOpenError struct{ Opens time.Time }

func (e *NotOpenError) Error() string { return "the sale opens at " + e.Opens.Format(time.RFC3339) }

// LimitError says that a person would hold more than the show allows.
type LimitError struct{ Held, Limit int }

func (e *LimitError) Error() string {
	return fmt.Sprintf("limit per person reached: %d of %d held", e.Held, e.Limit)
}
