// Package booking owns a customer's claim on units of a show: it takes it at the box office (BoxOffice, in the API), records
// it in MySQL (Recorder, in the worker) and looks it up for its owner.
//
// It guarantees that one (user, show, request key) becomes at most one row, that an entry is settled only after its row is
// committed, and that a batch may be delivered twice, half done, out of order or by a worker thought dead, and every unit is
// still counted once.
//
// Table: reservations. Keys: the markers nt:{tag}:user:*, which the ledger's scripts write.
package booking

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Status of a reservation. Rows hold confirmed, rejected and cancelled; the others are told from the markers.
type Status string

// The words of the interface.
const (
	Pending    Status = "pending"    // its units are taken, the row follows
	Confirmed  Status = "confirmed"  // its row is committed
	Rejected   Status = "rejected"   // its row, or the lack of one under a newer epoch, says no
	Cancelling Status = "cancelling" // confirmed, and a cancel entry waits to be recorded
	Cancelled  Status = "cancelled"
)

// Reason of a rejected reservation.
type Reason string

// The words of the interface.
const (
	SoldOut      Reason = "sold_out"
	LimitReached Reason = "limit_reached"
	Lost         Reason = "lost"  // Redis forgot the entry before it was recorded
	Failed       Reason = "error" // its row cannot be stored
)

// Errors of the box office, beside those of package stock.
var (
	ErrNotFound = errors.New("no such reservation")
	ErrPending  = errors.New("the reservation is not confirmed yet")
	// ErrUnreadable: MySQL or Redis did not answer, so nothing can be told of reservations.
	ErrUnreadable     = errors.New("reservations cannot be read now")
	ErrNotCancellable = errors.New("a rejected reservation cannot be cancelled")
)

// Reservation is a claim as its owner sees it.
type Reservation struct {
	ID          uuid.UUID
	Show        int64
	User        int64
	Units       int
	Status      Status
	Reason      Reason    // of a rejected one, else ""
	Price       *int64    // of one unit when it was recorded, in won; nil: it is pending
	BookedAt    time.Time // by Redis's clock
	ConfirmedAt time.Time // zero: never was
	CancelledAt time.Time // zero: never was
	AsOf        time.Time // when it was so, by Redis's clock

	// Provisional: MySQL could not be read. Status is Pending, or Cancelling after a cancel, as far as markers tell; the row, which
	// decides, may say otherwise already. See docs/decisions/0012-pending-without-mysql.md.
	Provisional bool
}

// Ref names a reservation. With its show, one shard is asked for the markers; without, each of them.
type Ref struct {
	Show int64 // 0: not known
	ID   uuid.UUID
}

// Ref names the reservation.
func (r Reservation) Ref() Ref { return Ref{Show: r.Show, ID: r.ID} }

// Row is a reservation in MySQL, with the entries that made and cancelled it.
type Row struct {
	Reservation
	Epoch, Seq             int64
	CancelEpoch, CancelSeq int64 // 0: never cancelled
}

// NewID derives a reservation's id: 16 bytes of SHA-256 over user, show and request key, marked as a version 8 UUID (RFC 9562).
// User and show have 8 bytes each, so that the parts cannot run into each other. One key, one id, for ever.
func NewID(user, show int64, key string) uuid.UUID {
	parts := make([]byte, 0, 16+255)
	parts = binary.BigEndian.AppendUint64(parts, uint64(user)) // the same bits
	parts = binary.BigEndian.AppendUint64(parts, uint64(show)) // the same bits
	sum := sha256.Sum256(append(parts, key...))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// crockford is Douglas Crockford's base 32 alphabet: no I, L, O, U (crockford.com/base32.html).
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Number is a reservation's number for people: the low 60 bits of its id, which are all hash, in groups of 4.
func Number(id uuid.UUID) string {
	low := binary.BigEndian.Uint64(id[8:]) << 4 // 12 digits of 5 bits, the first at the top
	text := [14]byte{4: '-', 9: '-'}
	for i := range text {
		if text[i] != '-' {
			text[i] = crockford[low>>59]
			low <<= 5
		}
	}
	return string(text[:])
}
