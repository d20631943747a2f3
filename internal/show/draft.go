package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/invalid"
)

// What a draft may hold. A description of 10,000 characters of 4 bytes fits the TEXT column's 65,535 bytes.
const (
	maxName        = 200    // characters of title and venue
	maxAlt         = 300    // characters of the image's alternative text
	maxDescription = 10_000 // characters
	maxPrice       = 100_000_000
	minYear        = 2000
	maxYear        = 2100
)

// DefaultTimeZone is where a show takes place unless its draft says where.
const DefaultTimeZone = "Asia/Seoul"

// Draft is what an admin says about a show. Capacity and limit are not here: they belong to the stock.
type Draft struct {
	Title        string    `json:"title"`
	Venue        string    `json:"venue"`
	Description  string    `json:"description"`
	ImageAlt     string    `json:"image_alt"`
	Price        int64     `json:"price"`     // won
	TimeZone     string    `json:"time_zone"` // empty: Asia/Seoul
	StartsAt     time.Time `json:"starts_at"`
	SalesOpenAt  time.Time `json:"sales_open_at"`
	SalesCloseAt time.Time `json:"sales_close_at,omitzero"` // zero: as StartsAt
}

// Check trims the texts, fills in the defaults and brings the times to what the table holds; then it adds every fault to bad.
// The time zone is looked up with time.LoadLocation, so the program has to import time/tzdata or find the zones installed.
func (d *Draft) Check(bad *invalid.Error) {
	d.Title = bad.Text("title", d.Title, 1, maxName, "")
	d.Venue = bad.Text("venue", d.Venue, 1, maxName, "")
	d.Description = bad.Text("description", d.Description, 0, maxDescription, "\r\n\t")
	d.ImageAlt = bad.Text("image_alt", d.ImageAlt, 0, maxAlt, "")
	if d.Price < 0 || d.Price > maxPrice {
		bad.Add("price", "out_of_range", fmt.Sprintf("must be 0 to %d won", maxPrice))
	}
	if d.TimeZone == "" {
		d.TimeZone = DefaultTimeZone
	}
	if _, err := time.LoadLocation(d.TimeZone); err != nil || !isZone(d.TimeZone) {
		bad.Add("time_zone", "unknown", "must be the name of a time zone, such as "+DefaultTimeZone)
	}
	d.checkTimes(bad)
}

func (d *Draft) checkTimes(bad *invalid.Error) {
	before := len(bad.Fields)
	for _, t := range []struct {
		field    string
		at       *time.Time
		optional bool
	}{{"starts_at", &d.StartsAt, false}, {"sales_open_at", &d.SalesOpenAt, false}, {"sales_close_at", &d.SalesCloseAt, true}} {
		*t.at = t.at.UTC().Truncate(time.Millisecond)
		switch year := t.at.Year(); {
		case t.at.IsZero() && t.optional:
		case t.at.IsZero():
			bad.Add(t.field, "required", "must be given")
		case year < minYear || year > maxYear:
			bad.Add(t.field, "out_of_range", fmt.Sprintf("must be in the years %d to %d", minYear, maxYear))
		}
	}
	if d.SalesCloseAt.IsZero() {
		d.SalesCloseAt = d.StartsAt
	}
	if len(bad.Fields) > before {
		return // the order of times that are wrong already says nothing
	}
	if !d.SalesOpenAt.Before(d.SalesCloseAt) {
		bad.Add("sales_open_at", "order", "must be before the sale closes")
	}
	if d.SalesCloseAt.After(d.StartsAt) {
		bad.Add("sales_close_at", "order", "must not be after the show starts")
	}
}

// isZone says whether a name that loads is one of the zones that browsers know, too. "Local" loads, and on many hosts
// "localtime", which are another zone on each, "posixrules" and "right/Asia/Seoul", whose clock is not UTC's.
func isZone(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] < 'A' || part[0] > 'Z' {
			return false
		}
	}
	return name != "Local"
}
