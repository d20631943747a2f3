package simulation

import (
	"testing"

	"github.com/neticket/neticket/internal/protocol"
)

// enough is how many random schedules a mistake may stay hidden in.
const enough = 10_000

// mistakesFrom is the first seed of the mistakes' schedules unless -seed says another. Any finds them, as a rule within 3,000; a
// fixed one makes the test's outcome the code's alone, and this one takes little time.
const mistakesFrom = 200_000

// Every mistake that random schedules can meet is found by them; the others have directed schedules.
func TestMistakesAreFound(t *testing.T) {
	t.Parallel()
	for name, mistakes := range map[string]Mistakes{
		"the epoch is read after the pause (and bump)": {EpochAfterBump: true},
		"no compare-and-set on the epoch":              {NoCompareAndSet: true},
		"resume after a bump":                          {Scripts: protocol.Mistakes{ResumeBumped: true}},
		"settle before commit":                         {SettleFirst: true},
		"an entry that is gone is settled":             {Scripts: protocol.Mistakes{SettleAgain: true}},
		"a batch is settled by its first entry":        {Scripts: protocol.Mistakes{SettleByFirst: true}},
		"a call sees what was left when it began":      {Scripts: protocol.Mistakes{StaleLeft: true}},
		"units are taken though the append failed":     {Scripts: protocol.Mistakes{TakeWithoutEntry: true}},
		"answers of a call are swapped":                {SwapAnswers: true},
		"settle in any epoch":                          {Scripts: protocol.Mistakes{SettleAnyEpoch: true}},
		"a stale cancel is allowed":                    {StaleCancel: true},
		"a stale reservation is confirmed":             {StaleReserve: true},
		"load under any token":                         {Scripts: protocol.Mistakes{LoadAnyToken: true}},
		"no take-over":                                 {Scripts: protocol.Mistakes{NoTakeOver: true}},
		"no distrust":                                  {Scripts: protocol.Mistakes{NoDistrust: true}},
		"no fence":                                     {Scripts: protocol.Mistakes{NoFence: true}},
		"a guardian that verifies nothing":             {NoVerify: true},
		"a guardian that subscribes, then distrusts":   {SubscribeFirst: true},
		"load keeps bump":                              {Scripts: protocol.Mistakes{KeepBump: true}},
		"bump unread":                                  {BlindBump: true},
		"no bump":                                      {NoBump: true},
		"terms are not refused":                        {TermsUnchecked: true},
		"the row is read, the epoch later":             {RowThenEpoch: true},
		"the row is read, the markers later":           {RowThenMarkers: true},
		"no drain":                                     {ForgetDrain: true},
		"nobody sweeps":                                {NoSweep: true},
	} {
		t.Run(name, func(t *testing.T) {
			first, s := uint64(mistakesFrom), New(mistakes)
			if *seed != 0 {
				first = *seed
			}
			for i := range uint64(enough) {
				if v := s.Run(first + i); v != nil {
					t.Logf("found in schedule %d, seed %d: %s", i+1, v.Seed, v.What)
					return
				}
			}
			t.Errorf("not found in %d schedules from seed %d on", enough, first)
		})
	}
}

// Mistakes that a second defence makes harmless. Where one of them is found, that defence is gone.
func TestHarmlessMistakes(t *testing.T) {
	t.Parallel()
	for name, mistakes := range map[string]Mistakes{
		// bump is refused to who was robbed since the pause, so whatever epoch he reads before it is no older than the pause.
		"the epoch is read between pause and bump": {EpochAfterPause: true},
	} {
		t.Run(name, func(t *testing.T) {
			first, s := firstSeed(), New(mistakes)
			for i := range uint64(500) {
				if v := s.Run(first + i); v != nil {
					t.Fatal(v)
				}
			}
		})
	}
}
