package stock

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/protocol"
)

// The simulator believes package protocol, so that must do what the scripts do: the same calls are made on a real server and on the
// model, and after each the answers and every key must be the same.
func TestScriptsAreTheModel(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64() >> 16
	pair := newPair(t)
	for life := range uint64(modelLives) {
		if err := pair.live(t.Context(), seed+life, protocol.Mistakes{}); err != nil {
			t.Fatalf("seed %d: %v", seed+life, err)
		}
	}
	t.Logf("%d calls", pair.calls)
}

// A model with one difference is noticed.
func TestModelWithAMistakeIsNoticed(t *testing.T) {
	t.Parallel()
	pair := newPair(t)
	for name, mistakes := range map[string]protocol.Mistakes{
		"no fence":                {NoFence: true},
		"resume after a bump":     {ResumeBumped: true},
		"settle again":            {SettleAgain: true},
		"settle by the first":     {SettleByFirst: true},
		"left is read once":       {StaleLeft: true},
		"settle in any epoch":     {SettleAnyEpoch: true},
		"settle any entry":        {SettleAnyEntry: true},
		"load under any token":    {LoadAnyToken: true},
		"load over a newer epoch": {LoadAnyEpoch: true},
		"no take-over":            {NoTakeOver: true},
		"no distrust":             {NoDistrust: true},
		"repeats are forgotten":   {ForgetRepeats: true},
		"load leaves bump":        {KeepBump: true},
		"load though distrusted":  {LoadDistrusted: true},
		"pause makes the stream":  {MakeAtOnce: true},
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64() >> 16
			for life := range uint64(5 * modelLives) {
				err := pair.live(t.Context(), seed+life, mistakes)
				if differs := (*differenceError)(nil); errors.As(err, &differs) {
					t.Logf("noticed in life %d", life+1)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			t.Errorf("not noticed in %d lives from seed %d on", 5*modelLives, seed)
		})
	}
}

// modelLives is how many times the servers are emptied and lived with for a while.
const modelLives = 150

// differenceError is what the model did otherwise than the server.
type differenceError struct {
	calls []string // of this life
	diff  string
}

func (e *differenceError) Error() string {
	return fmt.Sprintf("the model (-) is not the server (+) after\n%s\n%s", strings.Join(e.calls, "\n"), e.diff)
}

// compare returns a difference of texts.
func (p *pair) compare(model, server string) error {
	if model == server {
		return nil
	}
	return &differenceError{slices.Clone(p.said), cmp.Diff(strings.Split(model, "\n"), strings.Split(server, "\n"))}
}
