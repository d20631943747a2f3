package stock_test

import (
	"fmt"
	"testing"

	"github.com/neticket/neticket/internal/stock"
)

func TestParseMarker(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]stock.Marker{
		"2|42|3|9|1700000000123-4": {Units: 2, Show: 42, Epoch: 3, Seq: 9, Entry: "1700000000123-4"},
		"3|9|1700000000123-4":      {Epoch: 3, Seq: 9, Entry: "1700000000123-4"},
	} {
		if got, ok := stock.ParseMarker(text); !ok || got != want {
			t.Errorf("%s: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "x", "1|1", "1|1|1|1-1", "1|1|1|1|1-1|", "x|1|1|1|1-1", "1|x|1|1|1-1", "1|1|x|1|1-1", "1|1|1|x|1-1", "x|1|1-1", "1|x|1-1",
		"0|1|1|1|1-1", "-1|1|1|1|1-1", "1|0|1|1|1-1", "+1|1|1|1|1-1", "1|1|01|1|1-1", " 1|1|1-1", "99999999999999999999|1|1-1",
	} {
		if got, ok := stock.ParseMarker(text); ok || got != (stock.Marker{}) {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
}

// markerText writes a marker as reserve.lua and cancel.lua do.
func markerText(m stock.Marker) string {
	tail := fmt.Sprintf("%d|%d|%s", m.Epoch, m.Seq, m.Entry)
	if m.Units == 0 {
		return tail
	}
	return fmt.Sprintf("%d|%d|", m.Units, m.Show) + tail
}

// FuzzMarker: what is read as a marker is one, so that no two texts mean one marker, and every marker is read.
func FuzzMarker(f *testing.F) {
	f.Add("2|42|3|9|1700000000123-4", int32(2), int64(42), int64(3), int64(9), uint64(1700000000123))
	f.Add("3|9|1700000000123-4", int32(0), int64(1), int64(1)<<62, int64(1), uint64(0))
	f.Add("0|0|3|9|1-1", int32(1)<<30, int64(1)<<62, int64(1), int64(1)<<62, uint64(1)<<48)
	f.Add("+2|042|3|9|x", int32(100), int64(7), int64(0), int64(-1), uint64(5))
	f.Fuzz(func(t *testing.T, text string, units int32, show, epoch, seq int64, ms uint64) {
		if m, ok := stock.ParseMarker(text); ok && markerText(m) != text {
			t.Errorf("%q is read as %+v", text, m)
		}
		want := stock.Marker{Units: int(units), Show: show, Epoch: epoch, Seq: seq, Entry: fmt.Sprintf("%d-%d", ms, seq&7)}
		if units == 0 {
			want.Show = 0
		} else if units < 0 || show <= 0 {
			return // no script writes that
		}
		if got, ok := stock.ParseMarker(markerText(want)); !ok || got != want {
			t.Errorf("%+v is read as %+v, %v", want, got, ok)
		}
	})
}
