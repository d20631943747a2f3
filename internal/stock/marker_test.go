package stock_test

import (
	"fmt"
	"testing"

	"github.com/neticket/neticket/internal/stock"
)

func TestParseMarker(t *testing.T) {
	t.Parallel()
	const entry = "1700000000123-4"
	for text, want := range map[string]stock.Marker{
		"2|42|3|9|reserve|5|" + entry: {Kind: stock.Reserve, Units: 5, Show: 42, Epoch: 3, Seq: 9, Entry: entry},
		"2|42|3|9|cancel|5|" + entry:  {Kind: stock.Cancel, Units: 5, Show: 42, Epoch: 3, Seq: 9, Entry: entry},
		// Of builds before version 2.
		"2|42|3|9|" + entry: {Kind: stock.Reserve, Units: 2, Show: 42, Epoch: 3, Seq: 9, Entry: entry},
		"3|9|" + entry:      {Kind: stock.Cancel, Epoch: 3, Seq: 9, Entry: entry},
	} {
		if got, ok := stock.ParseMarker(text); !ok || got != want {
			t.Errorf("%s: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "x", "1|1", "1|1|1|1-1", "1|1|1|1|1-1|", "x|1|1|1|1-1", "1|x|1|1|1-1", "1|1|x|1|1-1", "1|1|1|x|1-1", "x|1|1-1", "1|x|1-1",
		"0|1|1|1|1-1", "-1|1|1|1|1-1", "1|0|1|1|1-1", "+1|1|1|1|1-1", "1|1|01|1|1-1", " 1|1|1-1", "99999999999999999999|1|1-1",
		"1|42|3|9|reserve|5|1-1", "3|42|3|9|reserve|5|1-1", "2|0|3|9|reserve|5|1-1", "2|42|x|9|reserve|5|1-1", "2|42|3|-9|reserve|5|1-1",
		"2|42|3|9|refund|5|1-1", "2|42|3|9|reserve||1-1", "2|42|3|9|reserve|5|1-1|", "2|42|3|9|reserve|5",
	} {
		if got, ok := stock.ParseMarker(text); ok || got != (stock.Marker{}) {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
}

// markerText writes a marker as requests.lua does.
func markerText(m stock.Marker) string {
	return fmt.Sprintf("2|%d|%d|%d|%s|%d|%s", m.Show, m.Epoch, m.Seq, m.Kind, m.Units, m.Entry)
}

// olderText writes a marker as builds before version 2 did.
func olderText(m stock.Marker) string {
	tail := fmt.Sprintf("%d|%d|%s", m.Epoch, m.Seq, m.Entry)
	if m.Kind == stock.Cancel {
		return tail
	}
	return fmt.Sprintf("%d|%d|", m.Units, m.Show) + tail
}

// FuzzMarker: what is read as a marker is one, so that no two texts of a version mean one marker, and every marker is read.
func FuzzMarker(f *testing.F) {
	f.Add("2|42|3|9|reserve|2|1700000000123-4", int32(2), int64(42), int64(3), int64(9), uint64(1700000000123))
	f.Add("3|9|1700000000123-4", int32(0), int64(1), int64(1)<<62, int64(1), uint64(0))
	f.Add("0|0|3|9|1-1", int32(1)<<30, int64(1)<<62, int64(1), int64(1)<<62, uint64(1)<<48)
	f.Add("+2|042|3|9|x", int32(100), int64(7), int64(0), int64(-1), uint64(5))
	f.Fuzz(func(t *testing.T, text string, units int32, show, epoch, seq int64, ms uint64) {
		if m, ok := stock.ParseMarker(text); ok && markerText(m) != text && olderText(m) != text {
			t.Errorf("%q is read as %+v", text, m)
		}
		good := units >= 1 && units <= 1<<30
		for _, n := range []int64{show, epoch, seq} {
			good = good && n >= 1 && n <= 1<<62
		}
		for _, kind := range []stock.Kind{stock.Reserve, stock.Cancel} {
			want := stock.Marker{Kind: kind, Units: int(units), Show: show, Epoch: epoch, Seq: seq, Entry: fmt.Sprintf("%d-%d", ms, seq&7)}
			if got, ok := stock.ParseMarker(markerText(want)); ok != good || good && got != want {
				t.Errorf("%s: %+v, %v", markerText(want), got, ok)
			}
		}
	})
}
