package servertest

import (
	"testing"
	"time"
)

// Eventually asks every 5 milliseconds whether cond holds, and ends the test, saying what did not come true, when it
// does not hold within the time given. Call it from the test's own goroutine. cond runs in that goroutine too.
func Eventually(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		<-poll.C
	}
}
