package stock

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Ledger takes units and settles entries in Redis. It is safe for concurrent use.
type Ledger struct {
	client  redis.UniversalClient
	shards  Shards
	scripts scripts
	options LedgerOptions
}

// LedgerOptions bound what the ledger accepts.
type LedgerOptions struct {
	MaxBacklog int           // unsettled entries of a show before ErrBusy
	Remember   time.Duration // how long a request key is remembered after a user's last request; whole seconds
	Group      string        // consumer group of the streams
}

// NewLedger returns a ledger over a client made by Connect.
func NewLedger(client redis.UniversalClient, shards Shards, options LedgerOptions) *Ledger {
	return &Ledger{client: client, shards: shards, scripts: newScripts(), options: options}
}

// Request is one wish for units, or one to cancel them.
type Request struct {
	ID    string // of the reservation: a UUID, lower case
	User  int64
	Show  int64
	Units int
	From  string // the API instance to wake when it is settled, or ""
	Trace string // trace context, or ""
}

// Receipt says that the ledger has an entry for a request.
type Receipt struct {
	Marker   Marker
	Repeated bool // the entry, or its marker, was there before
	Left     int  // units left after it; of a new one only
}

// Reserve takes units and appends the entry, in one script, or does neither and returns one of the package's errors. With
// ErrUnknown it may have done so: the same request again tells.
func (l *Ledger) Reserve(ctx context.Context, r Request) (Receipt, error) {
	shard := l.shards.Of(r.Show)
	user := strconv.FormatInt(r.User, 10)
	keys := []string{l.shards.Show(r.Show), l.shards.Entries(shard), l.shards.User(shard, r.User), l.shards.Users(r.Show)}
	reply, err := run(ctx, l.client, l.scripts.reserve, keys, r.ID, user, r.Units, r.Show,
		l.options.MaxBacklog, int64(l.options.Remember/time.Second), r.From, r.Trace)
	if err != nil {
		marker, err := l.lookAgain(ctx, shard, r.User, ReserveField(r.ID), err)
		if err != nil {
			return Receipt{}, fmt.Errorf("reserve: %w", err)
		}
		if marker.Units != r.Units || marker.Show != r.Show {
			return Receipt{}, ErrConflict
		}
		return Receipt{Marker: marker, Repeated: true}, nil
	}
	switch reply.word() {
	case "ok":
		// What reserve.lua wrote into the marker but did not return is read when somebody asks for it.
		return Receipt{Left: int(reply.number(1)), Marker: Marker{Units: r.Units, Show: r.Show, Entry: reply.text(2)}}, nil
	case "repeat":
		marker, ok := ParseMarker(reply.text(1))
		if !ok {
			return Receipt{}, fmt.Errorf("reserve: garbled marker of reservation %s", r.ID)
		}
		return Receipt{Marker: marker, Repeated: true}, nil
	case "conflict":
		return Receipt{}, ErrConflict
	case "not_open":
		return Receipt{}, &NotOpenError{Opens: time.UnixMilli(reply.number(1)).UTC()}
	case "closed":
		return Receipt{}, ErrClosed
	case "limit":
		return Receipt{}, &LimitError{Held: int(reply.number(1)), Limit: int(reply.number(2))}
	case "sold_out":
		return Receipt{}, &SoldOutError{Left: int(reply.number(1))}
	case "busy":
		return Receipt{}, ErrBusy
	}
	return Receipt{}, l.closedDoor(reply.word())
}

// Cancel appends a cancel entry for a confirmed reservation of the user; units come back when it is settled.
func (l *Ledger) Cancel(ctx context.Context, r Request) (Receipt, error) {
	shard := l.shards.Of(r.Show)
	keys := []string{l.shards.Show(r.Show), l.shards.Entries(shard), l.shards.User(shard, r.User)}
	reply, err := run(ctx, l.client, l.scripts.cancel, keys, r.ID, r.User, r.Units, r.Show,
		int64(l.options.Remember/time.Second), r.From, r.Trace)
	if err != nil {
		// A marker of an older epoch looks the same, so it proves nothing here; the same request again is harmless.
		if !neverSent(err) && !refused(err) {
			err = errors.Join(ErrUnknown, err)
		} else {
			err = errors.Join(ErrUnavailable, err)
		}
		return Receipt{}, fmt.Errorf("cancel: %w", err)
	}
	switch reply.word() {
	case "ok":
		return Receipt{Marker: Marker{Entry: reply.text(1)}}, nil
	case "repeat":
		return Receipt{Repeated: true}, nil
	case "started":
		return Receipt{}, ErrStarted
	}
	return Receipt{}, l.closedDoor(reply.word())
}

// closedDoor turns the answers that reserve.lua and cancel.lua share into errors.
func (l *Ledger) closedDoor(word string) error {
	switch word {
	case "fenced":
		return ErrFenced
	case "unloaded":
		return ErrUnloaded
	case "bad_state":
		return ErrGarbled
	case "paused":
		return ErrPaused
	}
	return fmt.Errorf("unknown answer %q of a script", word)
}

// lookAgain decides what a failed reserve.lua did: one read of the marker, where the call may have reached Redis.
func (l *Ledger) lookAgain(ctx context.Context, shard int, user int64, field string, cause error) (Marker, error) {
	if neverSent(cause) || refused(cause) {
		return Marker{}, errors.Join(ErrUnavailable, cause)
	}
	text, err := l.client.HGet(ctx, l.shards.User(shard, user), field).Result()
	if err != nil {
		return Marker{}, errors.Join(ErrUnknown, cause)
	}
	marker, ok := ParseMarker(text)
	if !ok {
		return Marker{}, errors.Join(ErrUnknown, cause)
	}
	return marker, nil
}

// Edit sets the sale times of a show that is loaded, unless it has this version or a newer one.
func (l *Ledger) Edit(ctx context.Context, show int64, times SaleTimes) error {
	return l.edits(ctx, map[int64]SaleTimes{show: times})
}

// edits is Edit for many shows.
func (l *Ledger) edits(ctx context.Context, shows map[int64]SaleTimes) error {
	const chunk = 500
	for part := range slices.Chunk(slices.Collect(maps.Keys(shows)), chunk) {
		pipe := l.client.Pipeline()
		for _, show := range part {
			times := shows[show]
			// By its source: a pipeline cannot send it after the server has said that it does not know the script.
			l.scripts.edit.Eval(ctx, pipe, []string{l.shards.Show(show)}, times.Version,
				times.Opens.UnixMilli(), times.Closes.UnixMilli(), times.Starts.UnixMilli())
		}
		replies, _ := pipe.Exec(ctx) // each has its own error
		for _, reply := range replies {
			if err := reply.Err(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") { // what is no hash sells nothing, at any time
				return fmt.Errorf("set the sale times of %d shows: %w", len(part), err)
			}
		}
	}
	return nil
}
