package account

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPasswordRoundTrip(t *testing.T) {
	t.Parallel()
	h := newHasher()
	first, err := h.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := h.hash(t.Context(), "correct horse"); second == first {
		t.Error("the same salt twice")
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		ok, outdated, err := h.verify(t.Context(), password, first)
		if ok != want || outdated || err != nil {
			t.Errorf("%q: %v, %v, %v", password, ok, outdated, err)
		}
	}
}

func TestPasswordReferenceVector(t *testing.T) {
	t.Parallel()
	// From the tests of the reference implementation, P-H-C/phc-winner-argon2 src/test.c.
	const vector = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, outdated, err := newHasher().verify(t.Context(), "password", vector)
	if !ok || !outdated || err != nil {
		t.Errorf("%v, %v, %v; want a match of another cost", ok, outdated, err)
	}
}

func TestMalformedHash(t *testing.T) {
	t.Parallel()
	for _, hash := range []string{
		"x",
		"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$",
		"$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$CTFh",
		"$argon2id$v=19$m=8,t=1,p=0$c29tZXNhbHQ$CTFh",
		"$argon2id$v=18$m=8,t=1,p=1$c29tZXNhbHQ$CTFh",
		"$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFh",
		"$argon2id$v=19$m=8,t=1,p=1,$c29tZXNhbHQ$CTFh",
		"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTF!",
	} {
		if ok, _, err := newHasher().verify(t.Context(), "password", hash); ok || err == nil {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

// hashTime is what a derivation takes in a synctest bubble.
const hashTime = 20 * time.Millisecond

// recordDerive makes h count its work and how much of it runs at once; each derivation takes hashTime.
func recordDerive(h *hasher) (calls, most *int) {
	var mu sync.Mutex
	var running int
	calls, most = new(int), new(int)
	h.derive = func(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
		mu.Lock()
		*calls++
		running++
		*most = max(*most, running)
		mu.Unlock()
		time.Sleep(hashTime)
		mu.Lock()
		running--
		mu.Unlock()
		return make([]byte, keyLen)
	}
	return calls, most
}

func TestHashesTwoAtOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		slots, most int
		took        time.Duration
	}{
		"two slots":                     {hashesAtOnce, 2, 3 * hashTime},
		"control: a slot for each hash": {6, 6, hashTime},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHasher()
				h.slots = make(chan struct{}, tt.slots)
				calls, most := recordDerive(h)
				begin := time.Now()
				var running sync.WaitGroup
				for range 6 {
					running.Go(func() {
						if _, err := h.hash(t.Context(), "password"); err != nil {
							t.Error(err)
						}
					})
				}
				running.Wait()
				if took := time.Since(begin); *calls != 6 || *most != tt.most || took != tt.took {
					t.Errorf("%d hashes, %d at once, in %v", *calls, *most, took)
				}
			})
		})
	}
}

// Who comes when enough wait is told so at once, and waits for nobody's hash.
func TestHashQueueIsBounded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ places, refused int }{
		"bounded":           {hashesAtOnce + maxWaiting, 20},
		"control: no bound": {1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHasher()
				h.queue = make(chan struct{}, tt.places)
				calls, _ := recordDerive(h)
				var refused atomic.Int32
				var running sync.WaitGroup
				begin := time.Now()
				for range hashesAtOnce + maxWaiting + 20 {
					running.Go(func() {
						if _, err := h.hash(t.Context(), "password"); errors.Is(err, ErrBusy) {
							refused.Add(1)
							if waited := time.Since(begin); waited > 0 {
								t.Errorf("refused after %v", waited)
							}
						} else if err != nil {
							t.Error(err)
						}
					})
				}
				running.Wait()
				if int(refused.Load()) != tt.refused || *calls != hashesAtOnce+maxWaiting+20-tt.refused {
					t.Errorf("%d refused, want %d; %d hashes", refused.Load(), tt.refused, *calls)
				}
				if _, err := h.hash(t.Context(), "password"); err != nil {
					t.Errorf("when the queue is empty again: %v", err)
				}
			})
		})
	}
}

// On a machine that is too slow for its queue nobody waits in vain for longer than he is told to.
func TestHashWaitIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		for range hashesAtOnce {
			h.slots <- struct{}{}
		}
		begin := time.Now()
		if _, err := h.hash(t.Context(), "password"); !errors.Is(err, ErrBusy) || time.Since(begin) != maxWait || len(h.queue) != 0 {
			t.Errorf("%v after %v; %d in the queue", err, time.Since(begin), len(h.queue))
		}
	})
}

func TestHashWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	h := newHasher()
	for range hashesAtOnce {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, "password"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestUnknownUserCostsTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		calls, _ := recordDerive(h)
		// The derived key is all zero, as that of the hash for nobody: even then the answer is no.
		ok, outdated, err := h.verify(t.Context(), "password", "")
		if ok || outdated || err != nil || *calls != 1 {
			t.Errorf("%v, %v, %v after %d derivations", ok, outdated, err, *calls)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := newHasher()
	for b.Loop() {
		if _, err := h.hash(b.Context(), "password"); err != nil {
			b.Fatal(err)
		}
	}
}
