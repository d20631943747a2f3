package web

import (
	"time"

	"github.com/neticket/neticket/internal/web/page"
)

// The ways in which a browser's datetime-local field writes a time.
var localLayouts = [...]string{page.LocalLayout, "2006-01-02T15:04:05", "2006-01-02T15:04:05.000", "2006-01-02 15:04"}

// parseLocal reads the time of a form's field as the clocks of a place tell it. The code says what is wrong with it: "type", it is no
// time; "gap", no clock there shows it, as clocks are put forward over it. Of a time that is shown twice, as clocks are put back, it is
// the first. An empty text is the zero time.
func parseLocal(text string, in *time.Location) (at time.Time, code string) {
	if text == "" {
		return time.Time{}, ""
	}
	for _, layout := range localLayouts {
		wall, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		// Clocks are not changed twice within two days, so what holds a day earlier and a day later are the offsets that may hold.
		for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
			_, offset := wall.Add(near).In(in).Zone()
			at := wall.Add(-time.Duration(offset) * time.Second)
			if _, holds := at.In(in).Zone(); holds == offset {
				return at.UTC(), ""
			}
		}
		return time.Time{}, "gap"
	}
	return time.Time{}, "type"
}
