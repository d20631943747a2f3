package showlist

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

const (
	swanJSON = `{"title":"Swan Lake","venue":"Seoul Arts Center","description":"Two acts.\nOne break, \"short\".","price":50000,"time_zone":"Asia/Tokyo",` +
		`"starts_at":"2026-05-03T23:00:00+09:00","sales_open_at":"2026-05-03T11:00:00Z","sales_close_at":"2026-05-03T13:00:00Z",` +
		`"capacity":100,"limit_per_user":4,"image_alt":"A swan"}`
	plainJSON = `{"capacity":1,"title":"지젤","venue":"예술의전당","starts_at":"2026-05-03T14:00:00Z","sales_open_at":"2026-05-03T11:00:00Z","sales_close_at":null}`

	allColumns = "image_alt,title,venue,description,price,time_zone,starts_at,sales_open_at,sales_close_at,capacity,limit_per_user\n"
	swanCSV    = `A swan,Swan Lake,Seoul Arts Center,"Two acts.` + "\n" + `One break, ""short"".",50000,Asia/Tokyo,` +
		"2026-05-03T23:00:00+09:00,2026-05-03T11:00:00Z, 2026-05-03T13:00:00Z , 100 ,4\n"
	plainCSV = ",지젤,예술의전당,,,,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,,1,\n"
)

func swanAndPlain() []Show {
	at := func(hour int) time.Time { return time.Date(2026, 5, 3, hour, 0, 0, 0, time.UTC) }
	return []Show{
		{Draft: show.Draft{Title: "Swan Lake", Venue: "Seoul Arts Center", Description: "Two acts.\nOne break, \"short\".", ImageAlt: "A swan", Price: 50_000,
			TimeZone: "Asia/Tokyo", StartsAt: at(14), SalesOpenAt: at(11), SalesCloseAt: at(13)}, Terms: stock.Terms{Capacity: 100, Limit: 4}},
		{Draft: show.Draft{Title: "지젤", Venue: "예술의전당", TimeZone: "Asia/Seoul", StartsAt: at(14), SalesOpenAt: at(11), SalesCloseAt: at(14)},
			Terms: stock.Terms{Capacity: 1}},
	}
}

func TestReadGood(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON lines":                      swanJSON + "\n" + plainJSON + "\n",
		"JSON lines, no break at the end": swanJSON + "\n" + plainJSON,
		"JSON lines of Windows, with blank ones and a byte order mark": "\ufeff\r\n" + swanJSON + "\r\n \r\n" + plainJSON + "\r\n",
		"CSV":                                 allColumns + swanCSV + plainCSV,
		"CSV, no break at the end":            allColumns + swanCSV + strings.TrimSuffix(plainCSV, "\n"),
		"CSV with a byte order mark":          "\ufeff" + allColumns + swanCSV + plainCSV,
		"CSV of Windows, with a blank line":   strings.ReplaceAll(allColumns+swanCSV+"\n"+plainCSV, "\n", "\r\n"),
		"CSV with quotes and spaces in names": `"title", venue ,starts_at,sales_open_at,capacity` + "\n" + `"지젤",예술의전당,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1` + "\n",
	} {
		want := swanAndPlain()
		if strings.Contains(name, "names") {
			want = want[1:]
		}
		got, err := Read(strings.NewReader(text), "")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		if _, err := Read(iotest.OneByteReader(strings.NewReader(text)), Formats()[0]); (err != nil) != strings.Contains(name, "CSV") {
			t.Errorf("%s, taken for JSON lines: %v", name, err)
		}
	}
}

func TestReadNamesEveryFault(t *testing.T) {
	t.Parallel()
	const some = "title,venue,starts_at,sales_open_at,capacity,limit_per_user\n"
	const good = "T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n"
	long := strings.Repeat("x", 64<<10)
	for name, test := range map[string]struct {
		text string
		want string // line: field: message, of all
	}{
		"JSON: all kinds of faults": {strings.Join([]string{
			`{"title":"T","colour":"red"}`,
			plainJSON,
			`{"title":"T","title":"U"}`,
			`{"title":1}`,
			`{"capacity":"1"}`,
			`{"price":1.5}`,
			`{"title":null}`,
			`{"starts_at":"tomorrow","sales_open_at":"2026-05-03"}`,
			`title=T`,
			`{"title":"T"} {}`,
			"{\"title\":\"\xff\"}",
			`"title"`,
			strings.Replace(swanJSON, `:100,`, `:0,`, 1),
			`{}`,
			strings.Replace(swanJSON, `"A swan"`, `"`+long+`"`, 1),
			strings.Replace(swanJSON, `Swan Lake`, `a\u202eb`, 1),
			"{\"a\x7f\":1}",
		}, "\n"), `1: colour: there is no such field
3: title: must be given once
4: title: must be a string
5: capacity: must be a whole number
6: price: must be a whole number
7: title: must not be null
8: starts_at: must be a time such as 2026-05-03T10:00:00Z
8: sales_open_at: must be a time such as 2026-05-03T10:00:00Z
9: this is not JSON
10: this is not JSON
11: this is not UTF-8
12: this must be a JSON object
13: capacity: must be 1 to 1000000
14: title: must not be empty
14: venue: must not be empty
14: starts_at: must be given
14: sales_open_at: must be given
14: capacity: must be 1 to 1000000
15: has 65841 bytes, and may have 65536
16: title: must have no control or bidirectional characters
17: "a\x7f": there is no such field`},
		"JSON: an array":         {"\n[\n" + plainJSON + ",\n]", "2: must be one JSON object a line, without brackets around them"},
		"JSON over many lines":   {"{\n\"title\":\"T\"\n}", "1: this is not JSON\n2: this is not JSON\n3: this is not JSON"},
		"CSV: a misspelt column": {"title,Venue\nT,V\nT\n", "1: Venue: there is no such field"},
		"CSV: semicolons":        {strings.ReplaceAll(some+good, ",", ";"), "1: title;venue;starts_at;sales_open_at;capacity;limit_per_user: there is no such field"},
		"CSV: a column twice":    {"title,venue,title\nT,V,T\n", "1: title: must be given once"},
		"CSV: no header":         {good, "1: T: there is no such field"},
		"CSV: all kinds of faults": {some +
			"T,V,tomorrow,2026-05-03,1,\n" +
			"\"T\nU\",V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n" + // two lines
			good +
			"T,V\n" +
			"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,,\n" +
			"T,\xff,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n" +
			"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,many,\n" +
			"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1-1,\n" +
			"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1.0,\n" +
			"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,null,\n" +
			"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,99999999999999999999\n" +
			",,,,,\n" +
			long + ",V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n" +
			"T,V,2026-05-03T11:00:00Z,2026-05-03T14:00:00Z,1,\n",
			`2: starts_at: must be a time such as 2026-05-03T10:00:00Z
2: sales_open_at: must be a time such as 2026-05-03T10:00:00Z
3: title: must have no control or bidirectional characters
6: has 2 cells, and the header has 6
7: has 7 cells, and the header has 6
8: venue: must be valid UTF-8
9: capacity: must be a whole number
10: capacity: must be a whole number
11: capacity: must be a whole number
12: capacity: must not be null
13: limit_per_user: is too large a number
14: title: must not be empty
14: venue: must not be empty
14: starts_at: must be given
14: sales_open_at: must be given
14: capacity: must be 1 to 1000000
15: has 65584 bytes, and may have 65536
16: sales_open_at: must be before the sale closes`},
		"CSV: a quote that is not closed": {some + good + "\"T,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n" + good + good,
			"3: a cell that begins with a quote is not closed by one (line 5, column 50); what follows was not checked"},
		"CSV: a quote that is closed too early": {some + good + "\"T\"U,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n" + good + "T\n",
			"3: a cell that begins with a quote is not closed by one (line 3, column 3); what follows was not checked"},
		"CSV: a quote within": {some + good + "T\"U,V,2026-05-03T14:00:00Z,2026-05-03T11:00:00Z,1,\n" + good,
			"3: there is a quote within a cell that has none around it (line 3, column 2); what follows was not checked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := Read(strings.NewReader(test.text), "")
			faults, ok := errors.AsType[*Faults](err)
			if !ok || list != nil {
				t.Fatalf("got %v, %v", list, err)
			}
			var got []string
			for _, f := range faults.List {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(strings.Split(test.want, "\n"), got); diff != "" {
				t.Error(diff)
			}
			if faults.Total != len(got) {
				t.Errorf("counted %d faults", faults.Total)
			}
		})
	}
}

func TestReadBoundsWhatItKeeps(t *testing.T) {
	t.Parallel()
	_, err := Read(strings.NewReader(strings.Repeat("{}\n", 500)+"x\n"), "")
	faults, ok := errors.AsType[*Faults](err)
	if !ok || len(faults.List) != 1000 || faults.Total != 2501 || faults.Lines != 501 || err.Error() != "2501 faults in 501 lines" {
		t.Errorf("%v", err)
	}
}

func TestReadNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from io.Reader
		want string
	}{
		"empty":          {strings.NewReader(""), "there is no show in it"},
		"a mark alone":   {strings.NewReader("\ufeff"), "there is no show in it"},
		"blank":          {strings.NewReader(" \n\n"), "there is no show in it"},
		"header alone":   {strings.NewReader(allColumns), "there is no show in it"},
		"UTF-16":         {strings.NewReader("\xff\xfet\x00i\x00"), "it is UTF-16"},
		"cannot be read": {iotest.ErrReader(errors.New("disk on fire")), "disk on fire"},
		"too large":      {strings.NewReader(strings.Repeat("{}\n", 334)), "more than 1000 bytes"},
	} {
		list, err := read(test.from, "", 1000)
		if list != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

// The bound itself is allowed.
func TestReadOfTheLargestSize(t *testing.T) {
	t.Parallel()
	if list, err := read(strings.NewReader(plainJSON), "", int64(len(plainJSON))); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}

func BenchmarkRead(b *testing.B) {
	for name, text := range map[string]string{"jsonl": swanJSON + "\n", "csv": swanCSV} {
		list := strings.Repeat(text, 10_000)
		if name == "csv" {
			list = allColumns + list
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if shows, err := Read(strings.NewReader(list), ""); len(shows) != 10_000 {
					b.Fatal(fmt.Errorf("%d: %w", len(shows), err))
				}
			}
		})
	}
}
