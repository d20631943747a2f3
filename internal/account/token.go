package account

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"
)

// ErrInvalidToken says that a token is not one of ours, or has expired.
var ErrInvalidToken = errors.New("invalid token")

// Claims is what a token says about its bearer. Times are UTC, in milliseconds.
type Claims struct {
	UserID     int64
	Role       Role
	Generation int64 // see User
	IssuedAt   time.Time
	ExpiresAt  time.Time
}

// TokenLife is how long a login holds.
const TokenLife = 24 * time.Hour

// A token is the base64url of version (1 byte), user id (8), role (1), generation (6), issued and expires (ms since 1970, 6
// each, which last until the year 10889) and the HMAC-SHA256 of all that. 60 bytes are 80 characters without spare bits, so a
// token has one spelling only.
const (
	tokenVersion = 2
	payloadBytes = 1 + 8 + 1 + 6 + 6 + 6
	tokenBytes   = payloadBytes + sha256.Size
	tokenChars   = tokenBytes * 4 / 3
	keyLabel     = "neticket login token 2" // keeps the key apart from others that may be derived of a secret
)

// Signer issues and verifies login tokens, which are not stored: they hold until they expire or are revoked. It may be used at the same time.
type Signer struct {
	keys []sync.Pool // one per secret, of *scratch
	ttl  time.Duration
	now  func() time.Time
}

// scratch is what one signature needs. It is pooled: a new HMAC costs more than its use.
type scratch struct {
	mac   hash.Hash
	chars [tokenChars]byte
	raw   [tokenBytes]byte
	sum   [sha256.Size]byte
}

// NewSigner signs with the first of the secrets and verifies with all; tokens hold for ttl, TokenLife at most.
func NewSigner(secrets [][]byte, ttl time.Duration, now func() time.Time) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("make a token signer: no secret")
	}
	s := &Signer{keys: make([]sync.Pool, len(secrets)), ttl: ttl, now: now}
	for i, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, keyLabel, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive the key of tokens: %w", err)
		}
		s.keys[i].New = func() any { return &scratch{mac: hmac.New(sha256.New, key)} }
	}
	return s, nil
}

// Issue returns a token of u and when it expires.
func (s *Signer) Issue(u User) (token string, expires time.Time) {
	now := s.now().UTC().Truncate(time.Millisecond)
	expires = now.Add(s.ttl).Truncate(time.Millisecond)
	b := s.keys[0].Get().(*scratch)
	defer s.keys[0].Put(b)
	b.raw[0] = tokenVersion
	binary.BigEndian.PutUint64(b.raw[1:], uint64(u.ID))
	b.raw[9] = 0 // customer: the least, also for a role that is not known
	if u.Role == Admin {
		b.raw[9] = 1
	}
	put48(b.raw[10:16], u.Generation)
	put48(b.raw[16:22], now.UnixMilli())
	put48(b.raw[22:28], expires.UnixMilli())
	b.sign()
	copy(b.raw[payloadBytes:], b.sum[:])
	return base64.RawURLEncoding.EncodeToString(b.raw[:]), expires
}

// Verify returns what token says, or ErrInvalidToken. It knows neither whether the user still exists nor
// whether the token was revoked: see Revocations.
func (s *Signer) Verify(token string) (Claims, error) {
	if len(token) != tokenChars {
		return Claims{}, ErrInvalidToken
	}
	for i := range s.keys {
		b := s.keys[i].Get().(*scratch)
		claims, ok := b.verify(token)
		s.keys[i].Put(b)
		if ok && s.now().Before(claims.ExpiresAt) {
			return claims, nil
		}
	}
	return Claims{}, ErrInvalidToken
}

func (b *scratch) verify(token string) (Claims, bool) {
	copy(b.chars[:], token)
	// The decoder skips line breaks, which shows in the length.
	n, err := base64.RawURLEncoding.Decode(b.raw[:], b.chars[:])
	if err != nil || n != tokenBytes || b.raw[0] != tokenVersion {
		return Claims{}, false
	}
	b.sign()
	role := Customer
	if b.raw[9] == 1 {
		role = Admin
	}
	return Claims{
		UserID:     int64(binary.BigEndian.Uint64(b.raw[1:])),
		Role:       role,
		Generation: get48(b.raw[10:16]),
		IssuedAt:   time.UnixMilli(get48(b.raw[16:22])).UTC(),
		ExpiresAt:  time.UnixMilli(get48(b.raw[22:28])).UTC(),
	}, hmac.Equal(b.raw[payloadBytes:], b.sum[:])
}

// sign leaves the HMAC of the payload in sum.
func (b *scratch) sign() {
	b.mac.Reset()
	b.mac.Write(b.raw[:payloadBytes])
	b.mac.Sum(b.sum[:0])
}

func put48(to []byte, n int64) {
	binary.BigEndian.PutUint16(to, uint16(n>>32))
	binary.BigEndian.PutUint32(to[2:], uint32(n))
}

func get48(from []byte) int64 {
	return int64(binary.BigEndian.Uint16(from))<<32 | int64(binary.BigEndian.Uint32(from[2:]))
}
