package invariant_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invariant"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// BenchmarkCheck looks at a show with a limit that 50,000 people have booked.
func BenchmarkCheck(b *testing.B) {
	const users = 50_000
	rig := systemtest.New(b)
	show := rig.Show(b, users, 1)
	var customers errgroup.Group
	customers.SetLimit(64)
	for user := range int64(users) {
		customers.Go(func() error {
			_, _, err := rig.BoxOffice.Reserve(b.Context(), booking.Booking{User: user + 1, Show: show, Units: 1, Key: fmt.Sprint(user)})
			return err
		})
	}
	if err := customers.Wait(); err != nil {
		b.Fatal(err)
	}
	look := func(b *testing.B) {
		for b.Loop() {
			report, err := invariant.Check(b.Context(), sources(rig))
			if err != nil || !report.OK() || report.Conclusive != 1 {
				b.Fatalf("%+v, %v", report, err)
			}
		}
	}
	b.Run("pending", look)
	if err := rig.Reader.Drain(b.Context(), rig.Shards.Of(show)); err != nil {
		b.Fatal(err)
	}
	b.Run("confirmed", look)
}
