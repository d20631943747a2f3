package account

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// noPassword is the hash that no password has: LogIn treats its user as one who is not there, after the same work.
const noPassword = ""

// bulk is how many users one statement inserts.
const bulk = 1000

// CreateBulk makes customers of that name whom nobody can log in as, one per email, and returns them in the same order. It is
// for load tests: 50,000 take a second or two. The emails must be in their stored form (lower case) and new: it returns
// ErrEmailTaken when one is not, and may have made others then.
func (a *Accounts) CreateBulk(ctx context.Context, emails []string, name string) ([]User, error) {
	users := make([]User, 0, len(emails))
	now := a.now().UTC().Truncate(time.Millisecond)
	for part := range slices.Chunk(emails, bulk) {
		if err := a.store.insertBulk(ctx, part, name, now); err != nil {
			return nil, err
		}
		ids, err := a.store.idsOf(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, email := range part {
			if ids[email] == 0 {
				return nil, fmt.Errorf("insert users: %s is not as it is stored", email)
			}
			users = append(users, User{ID: ids[email], Email: email, Name: name, Role: Customer, CreatedAt: now})
		}
	}
	return users, nil
}
