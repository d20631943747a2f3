package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// TestForgottenDuringASale has Redis forget things by somebody's hand, while bookings wait to be recorded: the sale goes on by
// itself, and what can be known of them is.
func TestForgottenDuringASale(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		forget func(t *testing.T, d *deployment, shows []int64) error
		may    []string // how pending bookings may end that are not confirmed
	}{
		// Even the markers are gone. A worker that had read some entries records them as lost.
		"everything": {func(t *testing.T, d *deployment, _ []int64) error { return d.Redis.FlushAll(t.Context()).Err() }, []string{"lost", "404"}},
		// The entries are all there, and are recorded before the show is loaded.
		"the shows": {func(t *testing.T, d *deployment, shows []int64) error {
			return d.delete(t, shows, d.Shards.Show)
		}, nil},
		"the streams": {func(t *testing.T, d *deployment, shows []int64) error {
			return d.delete(t, shows, func(show int64) string { return d.Shards.Entries(d.Shards.Of(show)) })
		}, []string{"lost"}},
		// A new group reads its stream from the beginning.
		"the groups": {func(t *testing.T, d *deployment, shows []int64) error {
			return each(shows, func(show int64) error {
				return d.Redis.XGroupDestroy(t.Context(), d.Shards.Entries(d.Shards.Of(show)), "recorders").Err()
			})
		}, nil},
		// The requests are forgotten, their entries are not.
		"the users": {func(t *testing.T, d *deployment, shows []int64) error {
			return each(shows, func(show int64) error {
				keys, err := d.Redis.Keys(t.Context(), d.Shards.UserPattern(d.Shards.Of(show))).Result()
				if err == nil && len(keys) > 0 {
					err = d.Redis.Del(t.Context(), keys...).Err()
				}
				return err
			})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			shows := d.shows(t)
			d.start(t, "api")
			worker := d.start(t, "worker")
			s := d.sell(t, shows...)
			d.hold(t, worker, shows)
			if err := test.forget(t, d, shows); err != nil {
				t.Fatal(err)
			}
			worker.thaw(t)
			s.recovers(t)
			s.check(t, d, test.may...)
			if len(test.may) > 0 && len(s.faults(t, d)) == 0 {
				t.Error("nothing was forgotten: this finds nothing")
			}
		})
	}
}

// hold freezes the worker until some bookings wait in the stream of each of the shows' shards.
func (d *deployment) hold(t *testing.T, worker *process, shows []int64) {
	t.Helper()
	worker.freeze(t)
	servertest.Eventually(t, 10*time.Second, "bookings wait", func() bool {
		return each(shows, func(show int64) error {
			waiting := 0
			err := d.Ledger.EachEntry(t.Context(), d.Shards.Of(show), func(redis.XMessage) bool { waiting++; return waiting < 10 })
			if err == nil && waiting < 10 {
				err = fmt.Errorf("only %d entries of show %d wait", waiting, show)
			}
			return err
		}) == nil
	})
}

func (d *deployment) delete(t *testing.T, shows []int64, key func(int64) string) error {
	return each(shows, func(show int64) error { return d.Redis.Del(t.Context(), key(show)).Err() })
}

func each(shows []int64, do func(int64) error) error {
	for _, show := range shows {
		if err := do(show); err != nil {
			return err
		}
	}
	return nil
}
