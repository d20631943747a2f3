package booking_test

import (
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/system/systemtest"
)

// The rows of a page come in the order of an index: no sort of all that somebody ever booked.
func TestListIsReadInOrder(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	show := load(t, rig, 500, 0)
	for user := int64(1); user <= 100; user++ {
		for _, key := range []string{"a", "b", "c"} {
			book(t, rig, user, show, 1, key)
		}
	}
	record(t, rig, show)
	exec(t, rig, "ANALYZE TABLE reservations")
	var plan string
	err := rig.DB.QueryRowContext(t.Context(), `EXPLAIN FORMAT=JSON SELECT r.id, r.status FROM reservations r WHERE r.user_id = 7
		ORDER BY r.booked_at DESC, r.id DESC LIMIT 51`).Scan(&plan)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, `"user_booked"`) || strings.Contains(plan, "filesort") {
		t.Errorf("the plan sorts, or does not use the index:\n%s", plan)
	}
}
