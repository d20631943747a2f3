package account

import (
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	oldSecret = []byte(strings.Repeat("o", 32))
	newSecret = []byte(strings.Repeat("n", 32))
)

func signer(t testing.TB, c *clock, secrets ...[]byte) *Signer {
	t.Helper()
	s, err := NewSigner(secrets, 24*time.Hour, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokenRoundTrip(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := signer(t, c, newSecret)
	for _, u := range []User{{ID: 1, Role: Customer}, {ID: 1<<63 - 1, Role: Admin, Generation: 1<<31 - 1}} {
		token, expires := s.Issue(u)
		want := Claims{UserID: u.ID, Role: u.Role, Generation: u.Generation, IssuedAt: c.now, ExpiresAt: c.now.Add(24 * time.Hour)}
		got, err := s.Verify(token)
		if diff := cmp.Diff(want, got); err != nil || diff != "" || !expires.Equal(want.ExpiresAt) {
			t.Errorf("%v, expires %v, -want +got\n%s", err, expires, diff)
		}
	}
}

func TestTokenOfUnknownRoleIsACustomers(t *testing.T) {
	t.Parallel()
	s := signer(t, newClock(), newSecret)
	token, _ := s.Issue(User{ID: 1, Role: "root"})
	if claims, err := s.Verify(token); err != nil || claims.Role != Customer {
		t.Errorf("%v, %v", claims, err)
	}
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := signer(t, c, newSecret)
	token, expires := s.Issue(User{ID: 1, Role: Customer})
	for at, want := range map[time.Time]error{expires.Add(-1): nil, expires: ErrInvalidToken} {
		c.now = at
		if _, err := s.Verify(token); !errors.Is(err, want) {
			t.Errorf("at %v: %v, want %v", at, err, want)
		}
	}
}

func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	c := newClock()
	before, during, after := signer(t, c, oldSecret), signer(t, c, newSecret, oldSecret), signer(t, c, newSecret)
	oldToken, _ := before.Issue(User{ID: 1, Role: Customer})
	newToken, _ := during.Issue(User{ID: 1, Role: Customer})
	for _, tt := range []struct {
		s     *Signer
		token string
		want  error
	}{
		{during, oldToken, nil}, {during, newToken, nil}, {after, newToken, nil},
		{after, oldToken, ErrInvalidToken}, {before, newToken, ErrInvalidToken},
	} {
		if _, err := tt.s.Verify(tt.token); !errors.Is(err, tt.want) {
			t.Errorf("error %v, want %v", err, tt.want)
		}
	}
	if _, err := NewSigner(nil, time.Hour, c.Now); err == nil {
		t.Error("a signer without a secret")
	}
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()
	s := signer(t, newClock(), newSecret)
	token, _ := s.Issue(User{ID: 1, Role: Customer})
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenBytes {
		t.Fatal(len(raw), err)
	}
	forged := []string{
		"", token[1:], token + "A", token + "=", "\n" + token[1:], token[:tokenChars-1] + "\r", token[:10] + "\n" + token[10:],
		strings.Repeat("A", tokenChars), strings.Repeat("é", tokenChars/2), strings.Repeat("A", 1<<20),
	}
	for bit := range 8 * tokenBytes {
		raw[bit/8] ^= 1 << (bit % 8)
		forged = append(forged, base64.RawURLEncoding.EncodeToString(raw))
		raw[bit/8] ^= 1 << (bit % 8)
	}
	for _, f := range forged {
		if claims, err := s.Verify(f); !errors.Is(err, ErrInvalidToken) || claims != (Claims{}) {
			t.Errorf("%.80q: %v, %v", f, claims, err)
		}
	}
}

func TestSignerIsConcurrent(t *testing.T) {
	t.Parallel()
	s := signer(t, newClock(), newSecret, oldSecret)
	var running sync.WaitGroup
	for id := range int64(8) {
		running.Go(func() {
			for range 100 {
				token, _ := s.Issue(User{ID: id, Role: Customer})
				if claims, err := s.Verify(token); err != nil || claims.UserID != id {
					t.Errorf("%v, %v", claims, err)
				}
			}
		})
	}
	running.Wait()
}

func FuzzVerify(f *testing.F) {
	s := signer(f, newClock(), newSecret)
	token, _ := s.Issue(User{ID: 42, Role: Admin})
	for _, seed := range []string{"", token, token[1:], token + "A", strings.ToUpper(token), strings.Repeat("\n", tokenChars)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if claims, err := s.Verify(text); (err == nil) != (text == token) {
			t.Errorf("%q: %v, %v", text, claims, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := signer(b, newClock(), newSecret)
	token, _ := s.Issue(User{ID: 42, Role: Customer})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	s := signer(b, newClock(), newSecret)
	b.ReportAllocs()
	for b.Loop() {
		s.Issue(User{ID: 42, Role: Customer})
	}
}
