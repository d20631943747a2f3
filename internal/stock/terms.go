package stock

import (
	"fmt"

	"github.com/neticket/neticket/internal/invalid"
)

// maxCapacity is the most units that a show may have.
const maxCapacity = 1_000_000

// Terms are what an admin says about a show's stock.
type Terms struct {
	Capacity int `json:"capacity"`
	Limit    int `json:"limit_per_user"` // units per person; 0: none
}

// Check adds every fault to bad.
func (t Terms) Check(bad *invalid.Error) {
	if t.Capacity < 1 || t.Capacity > maxCapacity {
		bad.Add("capacity", "out_of_range", fmt.Sprintf("must be 1 to %d", maxCapacity))
	}
	if t.Limit < 0 || t.Limit > maxCapacity {
		bad.Add("limit_per_user", "out_of_range", fmt.Sprintf("must be 0, for none, to %d", maxCapacity))
	}
}
