// Package auditlog is who did what: to shows, their stock, dead letters and accounts, by hand. It owns the table audit_log.
//
// It guarantees that a record is there where what it tells of was done, and not where it was refused: it is added in the
// transaction of the change itself, and one deed leaves one record, however often that transaction is begun again. (A dead letter
// lies in Redis, so the record of its drop comes before the drop.) Nothing changes or deletes a record.
package auditlog

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"time"
)

// Actor is who does something. The zero value is the operator's tool.
type Actor struct {
	UserID    int64
	IP        string // of the client, as the API sees it
	RequestID string
}

// Action says what is done.
type Action string

// The actions, as the table and the API spell them.
const (
	CreateShow     Action = "show.create"
	ImportShows    Action = "show.import"
	UpdateShow     Action = "show.update"
	SetImage       Action = "show.image"
	ResyncStock    Action = "stock.resync"
	DistrustStock  Action = "stock.distrust"
	DropDeadLetter Action = "dead_letter.drop"
	CreateAdmin    Action = "user.create_admin"
	PromoteUser    Action = "user.promote"
)

// Deed is what somebody is about to do, once.
type Deed struct {
	id     string
	by     Actor
	action Action
}

// NewDeed returns a deed. It is made outside of the transaction that adds its record.
func NewDeed(by Actor, action Action) Deed { return Deed{rand.Text(), by, action} }

// Repeatable makes a deed one with all others of the same person, action and text: added again, its record stays as it is, and
// Store.ObjectOf tells of what.
func (d Deed) Repeatable(text string) Deed {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", d.by.UserID, d.action, text))
	d.id = base32.StdEncoding.EncodeToString(sum[:])[:len(rand.Text())] // as strong as one that is drawn
	return d
}

// Object names what something is done to, such as "show:42".
func Object(kind string, id any) string { return fmt.Sprintf("%s:%v", kind, id) }

// Change is a field before and after.
type Change struct {
	Before any `json:"before"`
	After  any `json:"after"`
}

// Changes returns of two states of a thing, field by field, those that differ. Values must be comparable.
func Changes(before, after map[string]any) map[string]Change {
	changes := map[string]Change{}
	for field, value := range after {
		if before[field] != value {
			changes[field] = Change{before[field], value}
		}
	}
	return changes
}

// Record is what is known of a deed.
type Record struct {
	ID      int64
	At      time.Time // by MySQL's clock, UTC
	By      Actor
	Action  Action
	Object  string
	Details json.RawMessage // an object
}
