package simulation

import (
	"testing"

	"github.com/neticket/neticket/internal/protocol"
)

// enough is how many random schedules a mistake may stay hidden in.
const enough = 10_000

// Every mistake that random schedules can meet is found by them.
func TestMistakesAreFound(t *testing.T) {
	t.Parallel()
	for name, mistakes := range map[string]Mistakes{
		"the epoch is read after the bump":           {EpochAfterBump: true},
		"no compare-and-set on the epoch":            {NoCompareAndSet: true},
		"resume after a bump":                        {Scripts: protocol.Mistakes{ResumeBumped: true}},
		"settle before commit":                       {SettleFirst: true},
		"settle goes on where the entry is gone":     {Scripts: protocol.Mistakes{SettleAgain: true}},
		"settle in any epoch":                        {Scripts: protocol.Mistakes{SettleAnyEpoch: true}},
		"a stale cancel is allowed":                  {StaleCancel: true},
		"a stale reservation is confirmed":           {StaleReserve: true},
		"load under any token":                       {Scripts: protocol.Mistakes{LoadAnyToken: true}},
		"no take-over":                               {Scripts: protocol.Mistakes{NoTakeOver: true}},
		"no distrust":                                {Scripts: protocol.Mistakes{NoDistrust: true}},
		"no fence":                                   {Scripts: protocol.Mistakes{NoFence: true}},
		"a guardian that verifies nothing":           {NoVerify: true},
		"a guardian that subscribes, then distrusts": {SubscribeFirst: true},
		"load keeps bump":                            {Scripts: protocol.Mistakes{KeepBump: true}},
		"bump unread":                                {BlindBump: true},
		"no bump":                                    {NoBump: true},
		"terms are not refused":                      {TermsUnchecked: true},
		"the row is read, the epoch later":           {RowThenEpoch: true},
		"the row is read, the markers later":         {RowThenMarkers: true},
		"no drain":                                   {ForgetDrain: true},
		"nobody sweeps":                              {NoSweep: true},
	} {
		t.Run(name, func(t *testing.T) {
			first, s := firstSeed(), New(mistakes)
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
