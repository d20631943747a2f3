package booking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/neticket/neticket/internal/stock"
)

// BoxOffice takes and cancels claims at the ledger and tells their owners what became of them. It runs in the API.
type BoxOffice struct {
	ledger  *stock.Ledger
	loader  *stock.Loader
	lookup  *Lookup
	waiters *Waiters
	metrics *bookingMetrics
	closing chan struct{}

	findWithin time.Duration
}

// findWithin bounds how long a request waits, beside its own wait, for the servers that tell what became of its claim. The claim itself
// is bounded by the time-outs of Redis, so a booking that is neither repeated nor waited for needs no timer.
const findWithin = 10 * time.Second

// loadWait is how long a booking waits for its show to be loaded.
const loadWait = 3 * time.Second

// rereadEvery is how often a waiting request looks again by itself, in case its wake-up was lost.
const rereadEvery = 500 * time.Millisecond

// NewBoxOffice returns a box office.
func NewBoxOffice(ledger *stock.Ledger, loader *stock.Loader, lookup *Lookup, waiters *Waiters, o stock.Observers) *BoxOffice {
	return &BoxOffice{ledger: ledger, loader: loader, lookup: lookup, waiters: waiters,
		metrics: newBookingMetrics(o.Registry), closing: make(chan struct{}), findWithin: findWithin}
}

// Close answers every waiting request at once, as a process that ends must. It may be called once.
func (b *BoxOffice) Close() { close(b.closing) }

// Booking is a wish for units.
type Booking struct {
	User, Show int64
	Units      int
	Key        string        // the request key: the same one again is the same booking
	Wait       time.Duration // how long to wait for the reservation to be settled
	Trace      string        // trace context, or ""
}

// Reserve takes units and returns the reservation, settled if that happened within the wait. repeated: the key had been used
// before, with the same units, and the reservation is returned as it is now. Errors are those of package stock: of
// stock.ErrUnknown alone the units may have been taken, and the same key tells.
func (b *BoxOffice) Reserve(ctx context.Context, booking Booking) (reservation Reservation, repeated bool, err error) {
	id := NewID(booking.User, booking.Show, booking.Key)
	var woken <-chan struct{}
	if booking.Wait > 0 {
		joined, leave := b.waiters.join(id) // before the entry exists, so that no wake-up is missed
		defer leave()
		woken = joined
	}
	request := stock.Request{ID: id.String(), User: booking.User, Show: booking.Show, Units: booking.Units,
		From: b.waiters.Instance, Trace: booking.Trace}
	var receipt stock.Receipt
	err = b.loaded(ctx, booking.Show, func() (err error) {
		receipt, err = b.ledger.Reserve(ctx, request)
		return err
	})
	b.metrics.count(receipt, err)
	if err != nil {
		return Reservation{}, false, err
	}
	reservation = Reservation{ID: id, Show: booking.Show, User: booking.User, Units: booking.Units, Status: Pending,
		BookedAt: receipt.Marker.At(), AsOf: receipt.Marker.At()}
	if !receipt.Repeated && booking.Wait <= 0 {
		return reservation, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, booking.Wait+b.findWithin)
	defer cancel()
	if receipt.Repeated {
		if reservation, err = b.lookup.Find(ctx, booking.User, Ref{Show: booking.Show, ID: id}); err != nil {
			return Reservation{}, true, err
		}
	}
	reservation = b.await(ctx, reservation, booking.Wait, woken, func(r Reservation) bool { return r.Status != Pending })
	return reservation, receipt.Repeated, nil
}

// Cancel asks for a confirmed reservation of the user to be cancelled, and waits for it. The reservation comes back as
// Cancelling or Cancelled. Errors: ErrNotFound, ErrPending, ErrNotCancellable, ErrUnreadable and those of package stock.
func (b *BoxOffice) Cancel(ctx context.Context, user int64, ref Ref, wait time.Duration) (Reservation, error) {
	woken, leave := b.waiters.join(ref.ID)
	defer leave()
	until := time.Now().Add(wait)
	for {
		reservation, err := b.lookup.Find(ctx, user, ref)
		if err != nil {
			return Reservation{}, err
		}
		if reservation.Provisional {
			return Reservation{}, fmt.Errorf("%w: whether it can be cancelled is not known", ErrUnreadable)
		}
		ref = reservation.Ref()
		switch reservation.Status {
		case Pending:
			return Reservation{}, ErrPending
		case Rejected:
			return Reservation{}, ErrNotCancellable
		case Cancelled:
			return reservation, nil
		case Confirmed:
			err := b.loaded(ctx, reservation.Show, func() error {
				_, err := b.ledger.Cancel(ctx, stock.Request{ID: ref.ID.String(), User: user, Show: reservation.Show,
					Units: reservation.Units, From: b.waiters.Instance})
				return err
			})
			if err != nil {
				return Reservation{}, err
			}
			reservation.Status = Cancelling
		case Cancelling:
		}
		left := time.Until(until)
		reservation = b.await(ctx, reservation, left, woken, func(r Reservation) bool { return r.Status != Cancelling })
		// Confirmed again: a resync came in between and voided the entry. It is asked for once more, if there is time.
		if reservation.Status != Confirmed {
			return reservation, nil
		}
		if left <= 0 {
			reservation.Status = Cancelling
			return reservation, nil
		}
	}
}

// Await returns a user's reservation as soon as it is no longer pending or cancelling, or as it is when the wait is over.
// Errors: ErrNotFound, ErrUnreadable.
func (b *BoxOffice) Await(ctx context.Context, user int64, ref Ref, wait time.Duration) (Reservation, error) {
	woken, leave := b.waiters.join(ref.ID)
	defer leave()
	r, err := b.lookup.Find(ctx, user, ref)
	if err != nil {
		return Reservation{}, err
	}
	return b.await(ctx, r, wait, woken, func(r Reservation) bool { return r.Status != Pending && r.Status != Cancelling }), nil
}

// await re-reads a reservation when it was settled, and now and then, until it is as wanted or the wait is over; then it
// returns what it read last.
func (b *BoxOffice) await(ctx context.Context, r Reservation, wait time.Duration, woken <-chan struct{}, wanted func(Reservation) bool) Reservation {
	if wait <= 0 || wanted(r) {
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	reread := time.NewTicker(rereadEvery)
	defer reread.Stop()
	for {
		select {
		case <-ctx.Done():
			return r
		case <-b.closing:
			return r
		case <-woken:
		case <-reread.C:
		}
		found, err := b.lookup.Find(ctx, r.User, r.Ref())
		switch {
		case err != nil: // what cannot be read now is read later; the wait bounds it
		case found.Provisional: // so it may have changed meanwhile
			r.Provisional = true
		case wanted(found):
			return found
		default:
			r = found
		}
	}
}

// loaded calls do again after its show was loaded, where that was what it lacked, or was opened again by whoever holds it.
func (b *BoxOffice) loaded(ctx context.Context, show int64, do func() error) error {
	err := do()
	if !errors.Is(err, stock.ErrUnloaded) && !errors.Is(err, stock.ErrPaused) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, loadWait)
	defer cancel()
	for ctx.Err() == nil {
		switch {
		case errors.Is(err, stock.ErrUnloaded):
			if err := b.loader.Load(ctx, show, errors.Is(err, stock.ErrGarbled)); err != nil {
				return err
			}
		case errors.Is(err, stock.ErrPaused):
			if !b.loader.Reopened(ctx, show) {
				return err
			}
		default:
			return err
		}
		err = do()
	}
	return err
}
