package show

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/invalid"
)

func validDraft() Draft {
	return Draft{
		Title: "Swan Lake", Venue: "Seoul Arts Center", Description: "Two acts.\nOne break.", Price: 50_000, TimeZone: "Asia/Seoul",
		StartsAt:     time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC),
		SalesOpenAt:  time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC),
		SalesCloseAt: time.Date(2026, 5, 3, 9, 0, 0, 0, time.UTC),
	}
}

func TestCheckBoundaries(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Draft)
		want   []string // "field code"
	}{
		"as it is":              {func(*Draft) {}, nil},
		"longest title":         {func(d *Draft) { d.Title = strings.Repeat("가", 200) }, nil},
		"title too long":        {func(d *Draft) { d.Title = strings.Repeat("a", 201) }, []string{"title too_long"}},
		"blank title":           {func(d *Draft) { d.Title = " \n " }, []string{"title required"}},
		"invisible title":       {func(d *Draft) { d.Title = "\u200b\u3164" }, []string{"title required"}},
		"no venue":              {func(d *Draft) { d.Venue = "" }, []string{"venue required"}},
		"control character":     {func(d *Draft) { d.Venue = "a\x00b" }, []string{"venue characters"}},
		"line break in a title": {func(d *Draft) { d.Title = "a\nb" }, []string{"title characters"}},
		"line separator":        {func(d *Draft) { d.Title = "a\u2028b" }, []string{"title characters"}},
		"override":              {func(d *Draft) { d.Title = "a\u202eb" }, []string{"title characters"}},
		"isolate in text":       {func(d *Draft) { d.Description = "a\u2066b" }, []string{"description characters"}},
		"not UTF-8":             {func(d *Draft) { d.Title = "a\xff" }, []string{"title characters"}},
		"longest description":   {func(d *Draft) { d.Description = strings.Repeat("🎻", 10_000) }, nil},
		"description too long":  {func(d *Draft) { d.Description = strings.Repeat("a", 10_001) }, []string{"description too_long"}},
		"no description":        {func(d *Draft) { d.Description = "" }, nil},
		"longest alt":           {func(d *Draft) { d.ImageAlt = strings.Repeat("가", 300) }, nil},
		"alt too long":          {func(d *Draft) { d.ImageAlt = strings.Repeat("가", 301) }, []string{"image_alt too_long"}},
		"free":                  {func(d *Draft) { d.Price = 0 }, nil},
		"dearest":               {func(d *Draft) { d.Price = 100_000_000 }, nil},
		"too dear":              {func(d *Draft) { d.Price = 100_000_001 }, []string{"price out_of_range"}},
		"negative price":        {func(d *Draft) { d.Price = -1 }, []string{"price out_of_range"}},
		"no such zone":          {func(d *Draft) { d.TimeZone = "Asia/Atlantis" }, []string{"time_zone unknown"}},
		"the host's zone":       {func(d *Draft) { d.TimeZone = "Local" }, []string{"time_zone unknown"}},
		"by another name":       {func(d *Draft) { d.TimeZone = "localtime" }, []string{"time_zone unknown"}},
		"of another clock":      {func(d *Draft) { d.TimeZone = "right/Asia/Seoul" }, []string{"time_zone unknown"}},
		"two slashes in a zone": {func(d *Draft) { d.TimeZone = "Asia//Seoul" }, []string{"time_zone unknown"}},
		"a zone in small":       {func(d *Draft) { d.TimeZone = "asia/seoul" }, []string{"time_zone unknown"}},
		"UTC":                   {func(d *Draft) { d.TimeZone = "UTC" }, nil},
		"an offset as zone":     {func(d *Draft) { d.TimeZone = "Etc/GMT+9" }, nil},
		"a path as zone":        {func(d *Draft) { d.TimeZone = "../etc/passwd" }, []string{"time_zone unknown"}},
		"no start":              {func(d *Draft) { d.StartsAt = time.Time{} }, []string{"starts_at required"}},
		"no opening":            {func(d *Draft) { d.SalesOpenAt = time.Time{} }, []string{"sales_open_at required"}},
		"last century":          {func(d *Draft) { d.SalesOpenAt = time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC) }, []string{"sales_open_at out_of_range"}},
		"next century":          {func(d *Draft) { d.StartsAt = d.StartsAt.AddDate(75, 0, 0) }, []string{"starts_at out_of_range"}},
		"closes as it opens":    {func(d *Draft) { d.SalesCloseAt = d.SalesOpenAt }, []string{"sales_open_at order"}},
		"closes a ms later":     {func(d *Draft) { d.SalesCloseAt = d.SalesOpenAt.Add(time.Millisecond) }, nil},
		"closes within the ms":  {func(d *Draft) { d.SalesCloseAt = d.SalesOpenAt.Add(time.Microsecond) }, []string{"sales_open_at order"}},
		"closes as it starts":   {func(d *Draft) { d.SalesCloseAt = d.StartsAt }, nil},
		"closes after start":    {func(d *Draft) { d.SalesCloseAt = d.StartsAt.Add(time.Second) }, []string{"sales_close_at order"}},
		"nothing at all": {func(d *Draft) { *d = Draft{} }, []string{
			"title required", "venue required", "starts_at required", "sales_open_at required",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			draft := validDraft()
			test.change(&draft)
			var bad invalid.Error
			draft.Check(&bad)
			var got []string
			for _, f := range bad.Fields {
				got = append(got, f.Field+" "+f.Code)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckCleans(t *testing.T) {
	t.Parallel()
	seoul := time.FixedZone("KST", 9*60*60)
	draft := validDraft()
	draft.Title, draft.TimeZone, draft.SalesCloseAt = "  Swan Lake ", "", time.Time{}
	draft.StartsAt = time.Date(2026, 5, 3, 19, 0, 0, 999_999, seoul)
	var bad invalid.Error
	draft.Check(&bad)
	if err := bad.OrNil(); err != nil {
		t.Fatal(err)
	}
	want := validDraft()
	want.SalesCloseAt = want.StartsAt
	if diff := cmp.Diff(want, draft); diff != "" {
		t.Error(diff)
	}
}
