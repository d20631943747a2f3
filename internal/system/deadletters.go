package system

import (
	"context"
	"database/sql"

	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/stream"
)

// DeadLetters is what could not be decoded, and who threw it away.
type DeadLetters struct {
	*stream.Group
	system *System
}

// OpenDeadLetters returns the dead letters of all shards.
func (s *System) OpenDeadLetters() *DeadLetters { return &DeadLetters{s.Group, s} }

// Drop implements web.DeadLetters. What the letter holds goes to the audit log before it is dropped, as no transaction spans MySQL and
// Redis: who dies in between leaves a record of what was not done, never a letter that is gone without a word.
func (d *DeadLetters) Drop(ctx context.Context, by auditlog.Actor, id stream.LetterID) error {
	letter, err := d.Letter(ctx, id)
	if err != nil {
		return err
	}
	deed := auditlog.NewDeed(by, auditlog.DropDeadLetter)
	err = database.Transact(ctx, d.system.DB, func(tx *sql.Tx) error {
		return d.system.AuditLog.Add(ctx, tx, deed, auditlog.Object("dead_letter", id), letter)
	})
	if err != nil {
		return err
	}
	return d.Group.Drop(ctx, id)
}
