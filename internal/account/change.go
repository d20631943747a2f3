package account

import (
	"context"

	"github.com/neticket/neticket/internal/invalid"
)

// ChangePassword gives a user another password and ends all logins: tokens that were issued before are refused by this process
// at once, and by others within a second. It returns the user, whose new tokens hold. Errors are an *invalid.Error that names
// the field "new"; those of LogIn, whose throttle it shares; and ErrNotFound.
func (a *Accounts) ChangePassword(ctx context.Context, id int64, current, wanted, address string) (User, error) {
	var bad invalid.Error
	checkPassword(&bad, "new", wanted)
	if err := bad.OrNil(); err != nil {
		return User{}, err
	}
	if len(current) > maxPasswordBytes {
		return User{}, ErrBadCredentials
	}
	u, old, err := a.store.one(ctx, "id = ?", id)
	if err != nil {
		return User{}, err
	}
	from := origin{u.Email, network(address)}
	if wait := a.throttle.attempt(from); wait > 0 {
		return User{}, &TooManyAttemptsError{wait}
	}
	if _, err := a.prove(ctx, u, old, current, from); err != nil {
		return User{}, err
	}
	hash, err := a.hasher.hash(ctx, wanted)
	if err != nil {
		return User{}, err
	}
	changed, err := a.store.nextGeneration(ctx, u, "password_hash = ?", hash, unnoted)
	if err != nil {
		return User{}, err
	}
	if !changed { // by somebody else, since it was read: current is no longer the password
		return User{}, ErrBadCredentials
	}
	u.Generation++
	a.Revocations.add(map[int64]int64{u.ID: u.Generation})
	return u, nil
}

// Promote makes the user of an email address an admin and ends his logins, whose tokens say that he is none. It returns the user,
// as he is, and with nothing noted, where he was an admin already, or ErrNotFound.
func (a *Accounts) Promote(ctx context.Context, email string, note Note) (User, error) {
	email, _ = normalEmail(email)
	for {
		u, _, err := a.store.byEmail(ctx, email)
		if err != nil || u.Role == Admin {
			return u, err
		}
		u.Role = Admin
		changed, err := a.store.nextGeneration(ctx, u, "role = ?", u.Role, note)
		if err != nil {
			return User{}, err
		}
		if changed { // else he changed his password meanwhile
			u.Generation++
			a.Revocations.add(map[int64]int64{u.ID: u.Generation})
			return u, nil
		}
	}
}
