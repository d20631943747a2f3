package page

import (
	"slices"
	"testing"
	"time"
)

func TestMine(t *testing.T) {
	t.Parallel()
	at := func(day int) Show { return Show{Starts: time.Date(2026, 5, day, 0, 0, 0, 0, time.UTC)} }
	var mine Mine
	for _, r := range []Reservation{
		{ID: "late", Status: "confirmed", Show: at(20)},
		{ID: "started, to be cancelled", Status: "cancelling", Show: at(1), Started: true},
		{ID: "soon", Status: "cancelling", Show: at(10)},
		{ID: "cancelled", Status: "cancelled", Show: at(15)},
		{ID: "pending", Status: "pending", Show: at(25)},
		{ID: "past", Status: "confirmed", Show: at(2), Started: true},
		{ID: "rejected", Status: "rejected", Show: at(1), Started: true},
	} {
		mine.Add(r)
	}
	for name, test := range map[string]struct {
		got  []Reservation
		want []string
	}{
		"upcoming": {mine.Upcoming, []string{"pending", "soon", "late"}},
		"past":     {mine.Past, []string{"past", "started, to be cancelled"}},
		"void":     {mine.Void, []string{"cancelled", "rejected"}},
	} {
		var got []string
		for _, r := range test.got {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// What waits is followed, wherever it stands.
func TestMineAwaits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reservations []Reservation
		want         string
	}{
		{nil, ""},
		{[]Reservation{{ID: "a", Status: "confirmed"}, {ID: "b", Status: "confirmed", Started: true}, {ID: "c", Status: "cancelled"}}, ""},
		{[]Reservation{{ID: "a", Status: "confirmed"}, {ID: "b", Status: "cancelling", Started: true}}, "b"},
		{[]Reservation{{ID: "b", Status: "cancelling", Started: true}, {ID: "a", Status: "pending"}}, "a"},
	} {
		var mine Mine
		for _, r := range test.reservations {
			mine.Add(r)
		}
		got := ""
		if r := mine.Awaited(); r != nil {
			got = r.ID
		}
		if got != test.want {
			t.Errorf("%+v: %q is followed, want %q", test.reservations, got, test.want)
		}
	}
}
