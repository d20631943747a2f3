package auditlog

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// maxOrigin is how many bytes the columns ip and request_id take.
const maxOrigin = 64

// Store reads and writes the table audit_log.
type Store struct{ db *sql.DB }

// NewStore returns a store over a pool made by database.Open.
func NewStore(db *sql.DB) *Store { return &Store{db} }

// Add writes down a deed in the transaction that does it. The details, an object of JSON or nil, must hold no secret; what is too
// long of them is cut. Of a deed that is added again, because nobody heard whether its transaction was committed, the record stays
// as it is.
func (s *Store) Add(ctx context.Context, tx *sql.Tx, d Deed, object string, details any) error {
	text, err := encode(details)
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO audit_log (at, actor_id, action, object, details, ip, request_id, deed)
			VALUES (UTC_TIMESTAMP(3), ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE deed = VALUES(deed)`,
			d.by.UserID, d.action, object, text, cut(d.by.IP, maxOrigin), cut(d.by.RequestID, maxOrigin), d.id)
	}
	if err != nil {
		return fmt.Errorf("add %s of %s to the audit log: %w", d.action, object, err)
	}
	return nil
}

// ObjectOf returns what a deed was done to that was added in this transaction or, if that was a repetition, in an earlier one.
func (s *Store) ObjectOf(ctx context.Context, tx *sql.Tx, d Deed) (object string, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT object FROM audit_log WHERE deed = ?`, d.id).Scan(&object); err != nil {
		return "", fmt.Errorf("read what %s was done to: %w", d.action, err)
	}
	return object, nil
}

// Page returns the newest records older than the one with the id before, of all where that is 0, newest first; and whether there
// are more. Order is that of ids: a record may turn up below one that was seen already, where its transaction took longer.
func (s *Store) Page(ctx context.Context, before int64, limit int) (records []Record, more bool, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, actor_id, action, object, details, ip, request_id FROM audit_log
		WHERE id < ? ORDER BY id DESC LIMIT ?`, before, limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("read the audit log: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var r Record
		var details []byte
		if err := rows.Scan(&r.ID, &r.At, &r.By.UserID, &r.Action, &r.Object, &details, &r.By.IP, &r.By.RequestID); err != nil {
			return nil, false, fmt.Errorf("read the audit log: %w", err)
		}
		r.Details = details
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("read the audit log: %w", err)
	}
	if len(records) > limit {
		return records[:limit], true, nil
	}
	return records, false, nil
}
