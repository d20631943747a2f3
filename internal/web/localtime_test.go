package web

import (
	"testing"
	"time"
)

func TestParseLocal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, zone, want, code string }{
		{"2026-05-03T19:30", "Asia/Seoul", "2026-05-03T10:30:00Z", ""},
		{"2026-05-03 19:30", "Asia/Seoul", "2026-05-03T10:30:00Z", ""},
		{"2026-05-03T19:30:15", "Asia/Seoul", "2026-05-03T10:30:15Z", ""},
		{"2026-05-03T19:30:15.250", "Asia/Seoul", "2026-05-03T10:30:15.25Z", ""},
		{"2026-05-03T19:30", "UTC", "2026-05-03T19:30:00Z", ""},
		{"2026-03-29T01:59", "Europe/Berlin", "2026-03-29T00:59:00Z", ""},
		{"2026-03-29T02:00", "Europe/Berlin", "", "gap"},
		{"2026-03-29T02:59", "Europe/Berlin", "", "gap"},
		{"2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00Z", ""},
		{"2026-10-25T01:59", "Europe/Berlin", "2026-10-24T23:59:00Z", ""},
		{"2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", ""}, // not 01:30 UTC, when it is 02:30 again
		{"2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00:00Z", ""},
		{"2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00Z", ""},
		{"2026-03-08T02:30", "America/New_York", "", "gap"},
		{"2026-10-04T02:15", "Australia/Lord_Howe", "", "gap"}, // half an hour
		{"2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45:00Z", ""},
		{"2011-12-30T12:00", "Pacific/Apia", "", "gap"}, // a day that was left out
		{"", "Asia/Seoul", "", ""},
		{"tomorrow", "Asia/Seoul", "", "type"},
		{"2026-02-30T10:00", "Asia/Seoul", "", "type"},
		{"2026-05-03", "Asia/Seoul", "", "type"},
		{"2026-05-03T19:30Z", "Asia/Seoul", "", "type"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, code := parseLocal(test.text, zone)
		got := ""
		if !at.IsZero() {
			got = at.Format(time.RFC3339Nano)
		}
		if got != test.want || code != test.code {
			t.Errorf("%s in %s: got %q %q, want %q %q", test.text, test.zone, got, code, test.want, test.code)
		}
	}
}
