package booking_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// pages walks through a user's list and returns all of it.
func pages(t *testing.T, rig *systemtest.Rig, user int64, limit int) (all []booking.Reservation) {
	t.Helper()
	var after booking.Position
	for range 100 {
		page, err := rig.Lookup.List(t.Context(), user, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Reservations) > limit {
			t.Errorf("a page of %d has %d", limit, len(page.Reservations))
		}
		all = append(all, page.Reservations...)
		if page.Next == (booking.Position{}) {
			return all
		}
		if len(page.Reservations) != limit {
			t.Errorf("a page of %d that is not the last has %d", limit, len(page.Reservations))
		}
		after = page.Next
	}
	t.Fatal("the list has no end")
	return nil
}

// line is what a test compares of a reservation.
type line struct {
	ID     uuid.UUID
	Status booking.Status
}

func lines(list []booking.Reservation) (lines []line) {
	for _, r := range list {
		lines = append(lines, line{r.ID, r.Status})
	}
	return lines
}

// Pending, recorded, lost and cancelling reservations of several shards are one list, newest first, whatever the page's size.
func TestList(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	a, b := load(t, rig, 50, 0), load(t, rig, 50, 0)
	for rig.Shards.Of(b) == rig.Shards.Of(a) {
		b = load(t, rig, 50, 0)
	}
	var want []line
	set := func(id uuid.UUID, status booking.Status) {
		for i := range want {
			if want[i].ID == id {
				want[i].Status = status
			}
		}
	}
	check := func() {
		t.Helper()
		for _, limit := range []int{1, 2, 3, 100} {
			if diff := gocmp.Diff(want, lines(pages(t, rig, 7, limit))); diff != "" {
				t.Errorf("%d a page (-want +got):\n%s", limit, diff)
			}
		}
	}
	check() // empty
	keys := []string{"a", "b", "c", "d", "e", "f"}
	var booked []booking.Reservation
	for i, key := range keys {
		show := []int64{a, b}[i%2]
		r := book(t, rig, 7, show, 1, key)
		book(t, rig, 8, show, 1, key)
		booked = append(booked, r)
	}
	for _, r := range byNewest(booked) {
		want = append(want, line{r.ID, booking.Pending})
	}
	check() // I14: at once, before anything is recorded
	record(t, rig, a)
	for _, i := range []int{0, 2, 4} {
		set(booked[i].ID, booking.Confirmed)
	}
	check()
	if _, err := rig.BoxOffice.Cancel(t.Context(), 7, booked[2].Ref(), 0); err != nil {
		t.Fatal(err)
	}
	set(booked[2].ID, booking.Cancelling)
	check()
	record(t, rig, a)
	set(booked[2].ID, booking.Cancelled)
	check()
	raiseEpoch(t, rig, b)
	for _, i := range []int{1, 3, 5} {
		set(booked[i].ID, booking.Rejected)
	}
	check()
	want = append([]line{{book(t, rig, 7, a, 1, "newest").ID, booking.Pending}}, want...)
	check()
	record(t, rig, b)
	check()
	if others := pages(t, rig, 8, 100); len(others) != len(keys) {
		t.Errorf("the other user has %d, want %d", len(others), len(keys))
	}
	if got := pages(t, rig, 9, 100); len(got) != 0 {
		t.Errorf("who booked nothing sees %v", got)
	}
}

// byNewest sorts by time and, within a millisecond, by id, the greatest first.
func byNewest(list []booking.Reservation) []booking.Reservation {
	return slices.SortedFunc(slices.Values(list), func(a, b booking.Reservation) int {
		return cmp.Or(b.BookedAt.Compare(a.BookedAt), strings.Compare(b.ID.String(), a.ID.String()))
	})
}

// What is recorded between two pages stays in its place: nothing is seen twice, nothing is missed.
func TestListWhileItIsRecorded(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 50, 0)
	var booked []booking.Reservation
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		booked = append(booked, book(t, rig, 7, show, 1, key))
	}
	first, err := rig.Lookup.List(t.Context(), 7, booking.Position{}, 3)
	if err != nil {
		t.Fatal(err)
	}
	record(t, rig, show)
	book(t, rig, 7, show, 1, "newer")
	rest, err := rig.Lookup.List(t.Context(), 7, first.Next, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []uuid.UUID
	for _, r := range append(first.Reservations, rest.Reservations...) {
		got = append(got, r.ID)
	}
	for _, r := range byNewest(booked) {
		want = append(want, r.ID)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, r := range append(first.Reservations, rest.Reservations...) {
		if wanted := map[bool]booking.Status{true: booking.Pending, false: booking.Confirmed}[i < 3]; r.Status != wanted {
			t.Errorf("number %d is %s, want %s", i, r.Status, wanted)
		}
	}
}

func TestListIgnoresGarbledMarkers(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	r := book(t, rig, 7, show, 1, "a")
	rig.Redis.HSet(t.Context(), rig.Shards.User(rig.Shards.Of(show), 7), "r:x", "1|1|1|1|1-1", "x", "", "r:"+booking.NewID(1, 1, "").String(), "x")
	if diff := gocmp.Diff([]line{{r.ID, booking.Pending}}, lines(pages(t, rig, 7, 10))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
