package rush

import (
	"testing"
	"time"

	"github.com/neticket/neticket/internal/loadgen"
	"github.com/neticket/neticket/internal/show"
)

func TestNextTry(t *testing.T) {
	t.Parallel()
	answered := func(status int, retry time.Duration) loadgen.Answer {
		return loadgen.Answer{Outcome: loadgen.Answered, Status: status, RetryAfter: retry}
	}
	for name, test := range map[string]struct {
		answer loadgen.Answer
		after  time.Duration // 0: never
	}{
		"accepted":      {answered(202, 0), 0},
		"confirmed":     {answered(201, 0), 0},
		"repeated":      {answered(200, 0), 0},
		"sold out":      {answered(409, 0), 0},
		"invalid":       {answered(422, time.Second), 0},
		"busy":          {answered(503, 2*time.Second), 2 * time.Second},
		"no time given": {answered(503, 0), comeBack},
		"rate":          {answered(429, 3*time.Second), 3 * time.Second},
		"broken":        {answered(500, 0), comeBack},
		"reply dropped": {loadgen.Answer{Outcome: loadgen.Dropped}, pressAgain},
		"cut":           {loadgen.Answer{Outcome: loadgen.Cut}, pressAgain},
		"timed out":     {loadgen.Answer{Outcome: loadgen.TimedOut}, pressAgain},
		"refused":       {loadgen.Answer{Outcome: loadgen.Refused}, comeBack},
		"no socket":     {loadgen.Answer{Outcome: loadgen.NoSocket}, comeBack},
	} {
		got := nextTry(test.answer)
		if got.Send != (test.after > 0) || got.After < test.after || got.After > test.after*3/2 {
			t.Errorf("%s: %+v, want %v and half of it at most on top", name, got, test.after)
		}
	}
}

// A buyer keeps trying for a minute. The latency of the last answer counts from the first due time.
func TestPatience(t *testing.T) {
	t.Parallel()
	due := time.Now()
	b := buyer{}
	busy := loadgen.Answer{Outcome: loadgen.Answered, Status: 503, Code: "unknown", RetryAfter: time.Second, Latency: time.Second}
	tries := 0
	for at := due; ; tries++ {
		busy.Due = at
		again := b.answered(busy)
		at = at.Add(busy.Latency).Add(again.After)
		if !again.Send {
			break
		}
	}
	if tries < 23 || tries > 30 { // every 2 to 2.5 s
		t.Errorf("%d tries in %v", tries, patience)
	}
	if b.last.Latency > patience || b.last.Latency < patience-3*time.Second || b.first.Latency != time.Second || !b.lost || b.booked() || b.refused() {
		t.Errorf("%+v", b)
	}
}

// Of every 100 buyers, exactly as many lose a reply as wanted, in both ways, and at the first try only.
func TestDroppedReplies(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{0, 1, 5, 30, 99, 100} {
		c := &crowd{stage: &stage{show: show.Show{ID: 7}, buyers: make([]buyer, 1000)}, drop: percent}
		ways := map[loadgen.Drop]int{}
		for i := range c.buyers {
			ways[c.request(nil, i, 0).Drop]++
			if c.request(nil, i, 1).Drop != loadgen.Keep {
				t.Fatal("the second reply is lost, too")
			}
		}
		if ways[loadgen.Keep] != 1000-10*percent || ways[loadgen.Unread] != 5*percent || ways[loadgen.OnAnswer] != 5*percent {
			t.Errorf("%d %%: %v", percent, ways)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://127.0.0.1:8080", "http://localhost", "http://[::1]:80/"} {
		if err := CheckURL(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:8080", "https://host", "http://", "http://host/api", "http://user@host", "http://host?q", "http://host:x"} {
		if CheckURL(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestProcessOf(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"w1", "api-host-1-abcdefgh", "worker-host-0-abcdefgh", "worker-host--1-abcdefgh", "worker-other-1-abcdefgh",
		"worker-host-4194305-abcdefgh" /* above the highest number on Linux */, "worker-host-1-abcdefgh" /* init */} {
		if process, err := processOf(name, "host"); err == nil {
			t.Errorf("%s would be killed as %d", name, process.Pid)
		}
	}
}
