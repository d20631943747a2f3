// Package account owns people: the table users, their passwords, roles and login tokens. It guarantees that an email
// address has one account, that a password is kept as an argon2id hash only, that a login tells nobody which accounts there
// are, and that guessing gets slower and slower. (Sign-up does tell: it has to say that an address is taken.)
package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Errors that callers tell apart.
var (
	ErrEmailTaken     = errors.New("the email address has an account already")
	ErrBadCredentials = errors.New("email or password is wrong")
	ErrNotFound       = errors.New("no such user")
	ErrBusy           = errors.New("too many passwords wait to be hashed")
)

// TooManyAttemptsError says that a login was not even tried.
type TooManyAttemptsError struct {
	RetryAfter time.Duration // more than 0
}

// Error tells when to try again.
func (e *TooManyAttemptsError) Error() string {
	return fmt.Sprintf("too many attempts to log in: try again in %v", e.RetryAfter)
}

// Role is what a user may do.
type Role string

// The roles, as the table and the API spell them.
const (
	Customer Role = "customer"
	Admin    Role = "admin"
)

// User is a person with an account.
type User struct {
	ID        int64
	Email     string // in lower case
	Name      string
	Role      Role
	CreatedAt time.Time // UTC, in milliseconds

	// Generation rises when all tokens that were issued before must no longer hold: with another password or role.
	Generation int64
}

// Accounts signs people up and logs them in. A process needs one: the limit on hashing and the memory of failed logins are
// its own.
type Accounts struct {
	Revocations *Revocations

	store    store
	log      *slog.Logger
	now      func() time.Time
	hasher   *hasher
	throttle *throttle
}

// New works on a pool made by database.Open; now is the clock, such as time.Now.
func New(db *sql.DB, log *slog.Logger, now func() time.Time) *Accounts {
	return &Accounts{
		Revocations: newRevocations(store{db}, log, now),
		store:       store{db}, log: log, now: now, hasher: newHasher(), throttle: newThrottle(now),
	}
}

// SignUp makes a customer. It returns an *invalid.Error that names email, password or name, or ErrEmailTaken, or ErrBusy.
func (a *Accounts) SignUp(ctx context.Context, email, password, name string) (User, error) {
	return a.Create(ctx, email, password, name, Customer, unnoted)
}

// Note writes down what is done to a user, in the transaction that does it; what it cannot write down is not done.
type Note func(ctx context.Context, tx *sql.Tx, u User) error

func unnoted(context.Context, *sql.Tx, User) error { return nil }

// Create is SignUp for any role.
func (a *Accounts) Create(ctx context.Context, email, password, name string, role Role, note Note) (User, error) {
	u := User{Email: email, Name: name, Role: role, CreatedAt: a.now().UTC().Truncate(time.Millisecond)}
	if err := u.check(password); err != nil {
		return User{}, err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	return a.store.insert(ctx, u, hash, note)
}

// Ensure returns the account of email as it is, whatever its name, role and password, or creates it. It is for seeding,
// and may be done again, or twice at once.
func (a *Accounts) Ensure(ctx context.Context, email, password, name string, role Role) (User, error) {
	canonical, _ := normalEmail(email)
	u, _, err := a.store.byEmail(ctx, canonical)
	if !errors.Is(err, ErrNotFound) {
		return u, err
	}
	u, err = a.Create(ctx, email, password, name, role, unnoted)
	if errors.Is(err, ErrEmailTaken) { // by another Ensure, meanwhile
		u, _, err = a.store.byEmail(ctx, canonical)
	}
	return u, err
}

// User returns the user with this id, or ErrNotFound.
func (a *Accounts) User(ctx context.Context, id int64) (User, error) {
	return a.store.byID(ctx, id)
}

// Users returns those of the users with these ids that there are, by id.
func (a *Accounts) Users(ctx context.Context, ids []int64) (map[int64]User, error) {
	return a.store.byIDs(ctx, ids)
}

// LogIn returns the user whose email and password these are. Else it returns ErrBadCredentials, after the same work
// whether or not there is such a user; a *TooManyAttemptsError when there were too many failures of this account, or from this
// client address (an IP address), or both; or ErrBusy. An attempt counts from its begin, so that many at once gain nothing,
// and until one succeeds.
func (a *Accounts) LogIn(ctx context.Context, email, password, address string) (User, error) {
	email, ok := normalEmail(email)
	if !ok || len(password) > maxPasswordBytes {
		return User{}, ErrBadCredentials
	}
	if a.hasher.busy() {
		return User{}, ErrBusy // MySQL is not asked in vain
	}
	from := origin{email, network(address)}
	if wait := a.throttle.attempt(from); wait > 0 {
		return User{}, &TooManyAttemptsError{wait}
	}
	u, hash, err := a.store.byEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		a.throttle.abandoned(from)
		return User{}, err
	}
	outdated, err := a.prove(ctx, u, hash, password, from)
	if err != nil {
		return User{}, err
	}
	if outdated {
		a.rehash(ctx, u.ID, password, hash)
	}
	return u, nil
}

// prove ends an attempt: it returns ErrBadCredentials unless the password is the one of hash, and whether that is outdated.
func (a *Accounts) prove(ctx context.Context, u User, hash, password string, from origin) (outdated bool, err error) {
	ok, outdated, err := a.hasher.verify(ctx, password, hash)
	if err != nil {
		a.throttle.abandoned(from)
		return false, fmt.Errorf("verify the password of user %d: %w", u.ID, err)
	}
	if !ok {
		return false, ErrBadCredentials
	}
	a.throttle.succeeded(from)
	return outdated, nil
}

// rehash brings a hash to today's cost. The login does not fail with it: the next one tries again.
func (a *Accounts) rehash(ctx context.Context, id int64, password, old string) {
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		err = a.store.replaceHash(ctx, id, old, hash)
	}
	if err != nil {
		a.log.WarnContext(ctx, "password was not hashed again", "user_id", id, "error", err)
	}
}
