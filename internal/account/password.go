package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

const (
	hashesAtOnce = 2   // of 19 MiB each; more would only take the processor from bookings
	maxWaiting   = 100 // for one of those: one to two seconds of work on an idle machine
	maxWait      = 3 * time.Second
	saltBytes    = 16
	keyBytes     = 32
)

// cost is what argon2id makes a guess cost.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// passwordHash is what is stored of a password.
type passwordHash struct {
	cost
	salt, key []byte
}

// hasher makes and checks password hashes, a few at a time. Who finds too many waiting is refused at once, who waits
// too long, then: other processes may have time.
type hasher struct {
	cost   cost
	derive func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
	slots  chan struct{}
	queue  chan struct{} // who has a slot, or waits for one
}

// newHasher uses the cost that OWASP's Password Storage Cheat Sheet names: 19 MiB, 2 passes, 1 thread.
func newHasher() *hasher {
	return &hasher{
		cost:   cost{memory: 19 << 10, time: 2, threads: 1},
		derive: argon2.IDKey,
		slots:  make(chan struct{}, hashesAtOnce),
		queue:  make(chan struct{}, hashesAtOnce+maxWaiting),
	}
}

// hash returns the PHC string of password under a fresh salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	made := passwordHash{cost: h.cost, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	_, _ = rand.Read(made.salt) // never fails
	var err error
	made.key, err = h.key(ctx, password, made)
	return made.String(), err
}

// verify says whether password is the one of hash, a PHC string, and whether its cost is no longer today's. An empty hash is
// that of a user who does not exist: the work is done, and the answer is no.
func (h *hasher) verify(ctx context.Context, password, hash string) (ok, outdated bool, err error) {
	stored := passwordHash{cost: h.cost, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	if hash != "" {
		if stored, err = parseHash(hash); err != nil {
			return false, false, err
		}
	}
	key, err := h.key(ctx, password, stored)
	ok = err == nil && hash != "" && subtle.ConstantTimeCompare(key, stored.key) == 1
	return ok, stored.cost != h.cost, err
}

// busy says that who asks now is refused.
func (h *hasher) busy() bool { return len(h.queue) == cap(h.queue) }

// key derives a key as long as that of p, once there is a free slot, or returns ErrBusy.
func (h *hasher) key(ctx context.Context, password string, p passwordHash) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, ErrBusy
	}
	patience := time.NewTimer(maxWait)
	defer patience.Stop()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-patience.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", context.Cause(ctx))
	}
	return h.derive([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key))), nil
}

// String returns the PHC string, such as $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (p passwordHash) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, b64(p.salt), b64(p.key))
}

// parseHash is the inverse of String. Its error does not quote the hash.
func parseHash(text string) (passwordHash, error) {
	var p passwordHash
	parts := strings.Split(text, "$") // before the first $ is nothing
	if len(parts) == 6 {
		_, _ = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads)
		p.salt, _ = base64.RawStdEncoding.DecodeString(parts[4])
		p.key, _ = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if p.String() != text || p.time == 0 || p.threads == 0 || len(p.key) == 0 {
		return passwordHash{}, errors.New("the stored password hash is malformed")
	}
	return p, nil
}
