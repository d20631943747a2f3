package booking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// BenchmarkList reads the first page of somebody with 200 bookings, all of which have rows and markers, on real servers: alone, and of
// many at once, as a machine with nothing else to do serves them.
func BenchmarkList(b *testing.B) {
	rig := systemtest.New(b)
	rig.Work(b, "w1")
	var shows []int64
	for range 40 {
		show := rig.Show(b, 1000, 0)
		if _, err := rig.Resyncer.Resync(b.Context(), show, "test"); err != nil {
			b.Fatal(err)
		}
		shows = append(shows, show)
	}
	for i := range 200 {
		wish := booking.Booking{User: 7, Show: shows[i%len(shows)], Units: 1, Key: fmt.Sprint(i)}
		if _, _, err := rig.BoxOffice.Reserve(b.Context(), wish); err != nil {
			b.Fatal(err)
		}
	}
	rig.Settled(b, 30*time.Second, shows...)
	list := func(b *testing.B, limit int) {
		page, err := rig.Lookup.List(b.Context(), 7, booking.Position{}, limit)
		if err != nil || len(page.Reservations) != limit || page.Reservations[0].Status != booking.Confirmed {
			b.Fatalf("%d reservations, %v", len(page.Reservations), err)
		}
	}
	for _, limit := range []int{20, 50, 100} {
		b.Run(fmt.Sprintf("%d a page", limit), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				list(b, limit)
			}
		})
	}
	b.Run("50 a page, 8 at once", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				list(b, 50)
			}
		})
	})
}
