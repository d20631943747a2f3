package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/neticket/neticket/internal/database"
)

const duplicateKey = 1062 // ER_DUP_ENTRY

// store reads and writes the table users.
type store struct{ db *sql.DB }

// insert adds u and returns it with its id, or ErrEmailTaken: the unique key decides.
func (s store) insert(ctx context.Context, u User, hash string, note Note) (User, error) {
	err := database.Transact(ctx, s.db, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO users (email, password_hash, name, role, created_at) VALUES (?, ?, ?, ?, ?)",
			u.Email, hash, u.Name, u.Role, u.CreatedAt)
		if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == duplicateKey {
			return ErrEmailTaken
		}
		if err == nil {
			u.ID, err = result.LastInsertId()
		}
		if err != nil {
			return fmt.Errorf("insert user: %w", err)
		}
		return note(ctx, tx, u)
	})
	if err != nil {
		return User{}, err
	}
	return u, nil
}

// insertBulk adds customers without a password, or returns ErrEmailTaken and adds none.
func (s store) insertBulk(ctx context.Context, emails []string, name string, at time.Time) error {
	args := make([]any, 0, 5*len(emails))
	for _, email := range emails {
		args = append(args, email, noPassword, name, Customer, at)
	}
	_, err := s.db.ExecContext(ctx, "INSERT INTO users (email, password_hash, name, role, created_at) VALUES "+
		strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?),", len(emails)), ","), args...)
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok && refused.Number == duplicateKey {
		return ErrEmailTaken
	}
	if err != nil {
		return fmt.Errorf("insert %d users: %w", len(emails), err)
	}
	return nil
}

// idsOf returns the ids of the users with these emails. They are read, as a cluster's ids of one statement may have gaps.
func (s store) idsOf(ctx context.Context, emails []string) (map[string]int64, error) {
	args := make([]any, len(emails))
	for i, email := range emails {
		args[i] = email
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id, email FROM users WHERE email IN ("+
		strings.TrimSuffix(strings.Repeat("?,", len(emails)), ",")+")", args...)
	if err != nil {
		return nil, fmt.Errorf("read the ids of users: %w", err)
	}
	defer rows.Close() // rows.Err tells
	ids := make(map[string]int64, len(emails))
	for rows.Next() {
		var id int64
		var email string
		if err := rows.Scan(&id, &email); err != nil {
			return nil, fmt.Errorf("read the ids of users: %w", err)
		}
		ids[email] = id
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the ids of users: %w", err)
	}
	return ids, nil
}

const selectUsers = "SELECT id, email, name, role, created_at, token_generation, password_hash FROM users"

func (s store) byID(ctx context.Context, id int64) (User, error) {
	u, _, err := s.one(ctx, "id = ?", id)
	return u, err
}

func (s store) byIDs(ctx context.Context, ids []int64) (map[int64]User, error) {
	users := make(map[int64]User, len(ids))
	if len(ids) == 0 {
		return users, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	rows, err := s.db.QueryContext(ctx, selectUsers+" WHERE id IN (?"+strings.Repeat(",?", len(ids)-1)+")", args...)
	if err != nil {
		return nil, fmt.Errorf("read %d users: %w", len(ids), err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		u, _, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read %d users: %w", len(ids), err)
		}
		users[u.ID] = u
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %d users: %w", len(ids), err)
	}
	return users, nil
}

// byEmail returns the password's hash too.
func (s store) byEmail(ctx context.Context, email string) (User, string, error) {
	return s.one(ctx, "email = ?", email)
}

func (s store) one(ctx context.Context, where string, argument any) (User, string, error) {
	switch u, hash, err := scan(s.db.QueryRowContext(ctx, selectUsers+" WHERE "+where, argument)); {
	case errors.Is(err, sql.ErrNoRows):
		return User{}, "", ErrNotFound
	case err != nil:
		return User{}, "", fmt.Errorf("read user: %w", err)
	default:
		return u, hash, nil
	}
}

func scan(row interface{ Scan(...any) error }) (u User, hash string, err error) {
	err = row.Scan(&u.ID, &u.Email, &u.Name, &u.Role, &u.CreatedAt, &u.Generation, &hash)
	return u, hash, err
}

// replaceHash does nothing when the hash is no longer old: the password was changed meanwhile.
func (s store) replaceHash(ctx context.Context, id int64, old, hash string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", hash, id, old)
	if err != nil {
		return fmt.Errorf("update the password hash of user %d: %w", id, err)
	}
	return nil
}

// nextGeneration raises a user's generation, which revokes all tokens, and sets what is given with it, such as "role = ?". It
// returns false when the generation is no longer that of u: somebody else was faster, and nothing is changed. The time is
// MySQL's, as that of revokedWithin is.
func (s store) nextGeneration(ctx context.Context, u User, set string, to any, note Note) (changed bool, err error) {
	err = database.Transact(ctx, s.db, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE users SET "+set+`, token_generation = token_generation + 1,
			tokens_revoked_at = UTC_TIMESTAMP(3) WHERE id = ? AND token_generation = ?`, to, u.ID, u.Generation)
		var rows int64
		if err == nil {
			rows, err = result.RowsAffected()
		}
		if err != nil {
			return fmt.Errorf("update user %d: %w", u.ID, err)
		}
		if changed = rows == 1; !changed {
			return nil
		}
		return note(ctx, tx, u)
	})
	return changed, err
}

// revokedWithin returns the generations of the users whose tokens were revoked so long ago at most.
func (s store) revokedWithin(ctx context.Context, ago time.Duration) (generations map[int64]int64, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, token_generation FROM users WHERE tokens_revoked_at >= UTC_TIMESTAMP(3) - INTERVAL ? SECOND",
		int64(math.Ceil(ago.Seconds())))
	if err != nil {
		return nil, fmt.Errorf("read whose tokens are revoked: %w", err)
	}
	defer rows.Close() // rows.Err tells
	generations = map[int64]int64{}
	for rows.Next() {
		var id, generation int64
		if err := rows.Scan(&id, &generation); err != nil {
			return nil, fmt.Errorf("read whose tokens are revoked: %w", err)
		}
		generations[id] = generation
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read whose tokens are revoked: %w", err)
	}
	return generations, nil
}
