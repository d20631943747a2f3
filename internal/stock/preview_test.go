package stock_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

func fmtMilli(at time.Time) string { return fmt.Sprint(at.UnixMilli()) }

// A dry run says what the resync then does, and changes nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	for name, test := range map[string]struct {
		change func(*testing.T, *systemtest.Rig, int64)
		want   stock.Resynced
	}{
		"in agreement":            {set("left", 7), stock.Resynced{Before: 7, After: 7, Epoch: 1}},
		"too high":                {set("left", 57), stock.Resynced{Before: 57, After: 7, Drift: 50, Epoch: 1}},
		"too low":                 {set("left", 1), stock.Resynced{Before: 1, After: 7, Drift: -6, Epoch: 1}},
		"lost":                    {deleteHash, stock.Resynced{Before: 7, After: 7, Epoch: 1}},
		"distrusted":              {set("left", 9, "state", "unloaded", "distrust", 1), stock.Resynced{Before: 9, After: 7, Drift: 2, Epoch: 1}},
		"reserved wrong":          {reservedOf(9), stock.Resynced{Before: 7, After: 7, Epoch: 1}},
		"counts of a lost stream": {set("left", 7, "seq", 5), stock.Resynced{Before: 7, After: 7, Epoch: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			show := rig.Show(t, 10, 0)
			confirm(t, rig, show, 7, 3)
			resync(t, rig, show)
			test.change(t, rig, show)
			var got stock.Resynced
			unchanged(t, rig, show, func() {
				var err error
				if got, err = rig.Resyncer.Preview(t.Context(), show); err != nil || got != test.want {
					t.Errorf("%+v, %v; want %+v", got, err, test.want)
				}
			})
			got.Epoch++
			if really := resync(t, rig, show); really != got {
				t.Errorf("the resync did %+v, the dry run had said %+v", really, got)
			}
		})
	}
}

func reservedOf(units int) func(*testing.T, *systemtest.Rig, int64) {
	return func(t *testing.T, rig *systemtest.Rig, show int64) {
		exec(t, rig.DB, "UPDATE stock SET reserved = ? WHERE show_id = ?", units, show)
	}
}

func TestPreviewTellsNothingItDoesNotKnow(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 10, 0)
	reserve(t, rig, request(show, 7, 1, "a"))
	if got, err := rig.Resyncer.Preview(t.Context(), show); !errors.Is(err, stock.ErrNotDrained) {
		t.Errorf("with an entry that nobody records: %+v, %v", got, err)
	}
	set("state", "paused")(t, rig, show)
	if got, err := rig.Resyncer.Preview(t.Context(), show); !errors.Is(err, stock.ErrResyncRunning) {
		t.Errorf("paused: %+v, %v", got, err)
	}
	if got, err := rig.Resyncer.Preview(t.Context(), 12345); !errors.Is(err, stock.ErrNoShow) {
		t.Errorf("no such show: %+v, %v", got, err)
	}
}
