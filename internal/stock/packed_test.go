package stock_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/stream"
)

const goodID = "0189d3f2-1111-8111-8111-111111111111"

// goodEntry is what requests.lua appends, value by value.
func goodEntry() []string {
	return []string{"2", "42", "3", "9", "reserve", "2", "7", goodID, "api-1", "00-trace"}
}

// names of the values of an entry, as its errors call them.
var names = []string{"version", "show", "epoch", "seq", "kind", "units", "user", "id", "from", "trace"}

// goodFields are those of the same entry as builds before version 2 made it.
func goodFields() map[string]any {
	return map[string]any{"v": "1", "kind": "reserve", "id": goodID, "show": "42", "user": "7", "units": "2", "epoch": "3",
		"seq": "9", "from": "api-1", "trace": "00-trace"}
}

func packed(values []string) map[string]any { return map[string]any{"e": strings.Join(values, "|")} }

func TestParseEntry(t *testing.T) {
	t.Parallel()
	want := stock.Entry{Entry: "1700000000123-4", At: time.UnixMilli(1700000000123).UTC(), Kind: stock.Reserve,
		ID: uuid.MustParse(goodID), Show: 42, User: 7, Units: 2, Epoch: 3, Seq: 9, From: "api-1", Trace: "00-trace"}
	more := goodFields()
	more["more"] = "x"
	for name, fields := range map[string]map[string]any{"packed": packed(goodEntry()), "a field for each": goodFields(), "an unknown more": more} {
		got, err := stock.ParseEntry(stream.Entry{ID: "1700000000123-4", Values: fields})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	fields, values := goodFields(), goodEntry()
	maps.Copy(fields, map[string]any{"kind": "cancel", "from": "", "trace": ""})
	values[4], values[8], values[9] = "cancel", "", ""
	want.Kind, want.From, want.Trace = stock.Cancel, "", ""
	for _, fields := range []map[string]any{fields, packed(values)} {
		if got, err := stock.ParseEntry(stream.Entry{ID: "1700000000123-4", Values: fields}); err != nil || got != want {
			t.Errorf("a cancel: %+v, %v; want %+v", got, err, want)
		}
	}
}

// badValues are not allowed, by the name of the value.
var badValues = map[string][]string{
	"kind":  {"", "RESERVE", "refund"},
	"id":    {"", "x", strings.ToUpper(goodID), "{" + goodID + "}", "urn:uuid:" + goodID, strings.ReplaceAll(goodID, "-", ""), goodID + "0"},
	"show":  {"", "0", "-1", "x", "1.5", "1e3", "+1", "01", "99999999999999999999", "9223372036854775807"},
	"user":  {"", "0", "-7", "x", "99999999999999999999", "9223372036854775807"},
	"units": {"", "0", "-2", "x", "2.5", "2147483648", "9223372036854775807"},
	"epoch": {"", "0", "-3", "x", "99999999999999999999"},
	"seq":   {"", "0", "-9", "x", strings.Repeat("9", 5000)},
}

func TestParseEntryRefuses(t *testing.T) {
	t.Parallel()
	check := func(name, value, entry string, fields map[string]any) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := stock.ParseEntry(stream.Entry{ID: entry, Values: fields})
			if err == nil {
				t.Fatalf("accepted as %+v", got)
			}
			if !strings.HasPrefix(err.Error(), value+" ") {
				t.Errorf("%q does not name %s", err, value)
			}
			if len(err.Error()) > 500 {
				t.Errorf("the reason has %d bytes", len(err.Error()))
			}
		})
	}
	for name, values := range badValues {
		for _, value := range values {
			list, fields := goodEntry(), goodFields()
			list[slices.Index(names, name)] = value
			fields[name] = value
			check("packed, "+name+" "+value[:min(len(value), 40)], name, "1700000000123-4", packed(list))
			check("fields, "+name+" "+value[:min(len(value), 40)], name, "1700000000123-4", fields)
		}
		fields := goodFields()
		delete(fields, name)
		check("fields, "+name+" missing", name, "1700000000123-4", fields)
	}
	for _, v := range []string{"", "0", "2", "1.0"} {
		fields := goodFields()
		fields["v"] = v
		check("fields, v "+v, "v", "1700000000123-4", fields)
	}
	for _, v := range []string{"", "1", "3", "2.0"} {
		check("packed, version "+v, "version", "1700000000123-4", packed(append([]string{v}, goodEntry()[1:]...)))
	}
	for n := range 8 { // the last two may be empty, and the version is checked above
		check(fmt.Sprintf("packed, %d values", n), names[n], "1700000000123-4", packed(goodEntry()[:n]))
	}
	for _, id := range []string{"", "x", "9999x-0", "300000000000000-0", "18446744073709551615-1"} {
		check("entry id "+id, "entry id", id, packed(goodEntry()))
	}
	check("nothing at all", "v", "1-1", nil)
}

// Whatever is accepted can be stored: the greatest values are covered on a real server in TestRecordExtremes.
func TestParseEntryExtremes(t *testing.T) {
	t.Parallel()
	const most = "4611686018427387904"
	for _, id := range []string{"1-1", "221845392000000-1"} {
		list := []string{"2", most, most, most, "reserve", "1073741824", most, goodID, "", strings.Repeat("|", 9)}
		if _, err := stock.ParseEntry(stream.Entry{ID: id, Values: packed(list)}); err != nil {
			t.Errorf("entry %s: %v", id, err)
		}
	}
}

// entryValues are those of an entry, in the order of requests.lua.
func entryValues(e stock.Entry) []string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{"2", number(e.Show), number(e.Epoch), number(e.Seq), string(e.Kind), number(int64(e.Units)), number(e.User),
		e.ID.String(), e.From, e.Trace}
}

// FuzzParsePacked: no two texts mean one entry, and every entry is read.
func FuzzParsePacked(f *testing.F) {
	f.Add(strings.Join(goodEntry(), "|"), int64(42), int64(3), int64(9), int32(2), int64(7), "api-1", "00-trace")
	f.Add("2|1|1|1|cancel|1|1|"+goodID+"||", int64(1)<<62, int64(1), int64(1)<<62, int32(1)<<30, int64(1), "", "a|b")
	f.Add("2|+1|01|1|refund|0||x", int64(0), int64(-1), int64(1), int32(0), int64(1), "\xff", "")
	f.Fuzz(func(t *testing.T, text string, show, epoch, seq int64, units int32, user int64, from, trace string) {
		parse := func(text string) (stock.Entry, error) {
			return stock.ParseEntry(stream.Entry{ID: "1-1", Values: map[string]any{"e": text}})
		}
		if e, err := parse(text); err == nil {
			again := strings.Join(entryValues(e), "|")
			if again != text && again != text+"|" && again != text+"||" {
				t.Errorf("%q is read as %+v", text, e)
			}
		}
		want := stock.Entry{Entry: "1-1", At: time.UnixMilli(1).UTC(), Kind: stock.Cancel, ID: uuid.MustParse(goodID), Show: show,
			Epoch: epoch, Seq: seq, Units: int(units), User: user, From: strings.ReplaceAll(from, "|", ""), Trace: trace}
		good := true
		for _, n := range []int64{show, epoch, seq, user} {
			good = good && n >= 1 && n <= 1<<62
		}
		got, err := parse(strings.Join(entryValues(want), "|"))
		if good = good && units >= 1 && units <= 1<<30; good != (err == nil) || good && got != want {
			t.Errorf("%+v is read as %+v, %v", want, got, err)
		}
	})
}

// fieldsOf are those of an entry as builds before version 2 made it.
func fieldsOf(e stock.Entry) map[string]any {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return map[string]any{"v": "1", "kind": string(e.Kind), "id": e.ID.String(), "show": number(e.Show), "user": number(e.User),
		"units": number(int64(e.Units)), "epoch": number(e.Epoch), "seq": number(e.Seq), "from": e.From, "trace": e.Trace}
}

// FuzzParseFields: an entry with a field for each value is read exactly if each field is well-formed; then nothing of it is lost, and else a field is named.
func FuzzParseFields(f *testing.F) {
	f.Add("1700000000123-4", "1", "reserve", goodID, "42", "7", "2", "3", "9", "api-1", "00-trace")
	f.Add("221845392000000-1", "1", "cancel", goodID, "4611686018427387904", "4611686018427387904", "1073741824", "1", "4611686018427387904", "", "")
	f.Add("221845393000000-0", "1", "refund", strings.ToUpper(goodID), "4611686018427387905", "-7", "1073741825", "+3", "09", "\xff", "\x00")
	f.Add("+5-1", "1", "reserve", goodID, "42", "7", "2", "3", "9", "", "")
	f.Add("", "", "", "{"+goodID+"}", "", "0", "1e3", "99999999999999999999", " 9", "", "")
	positive := regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	lowerUUID := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	digits := regexp.MustCompile(`^[0-9]+$`)
	f.Fuzz(func(t *testing.T, entry, v, kind, id, show, user, units, epoch, seq, from, trace string) {
		msText, _, _ := strings.Cut(entry, "-")
		ms, err := strconv.ParseInt(msText, 10, 64)
		good := v == "1" && (kind == "reserve" || kind == "cancel") && lowerUUID.MatchString(id) &&
			err == nil && digits.MatchString(msText) && time.UnixMilli(ms).UTC().Year() <= 9000
		for _, number := range []struct {
			text string
			most uint64
		}{{show, 1 << 62}, {user, 1 << 62}, {units, 1 << 30}, {epoch, 1 << 62}, {seq, 1 << 62}} {
			n, _ := strconv.ParseUint(number.text, 10, 64)
			good = good && positive.MatchString(number.text) && n <= number.most
		}
		raw := stream.Entry{ID: entry, Values: map[string]any{"v": v, "kind": kind, "id": id, "show": show, "user": user, "units": units,
			"epoch": epoch, "seq": seq, "from": from, "trace": trace}}
		got, err := stock.ParseEntry(raw)
		if err != nil {
			name, _, _ := strings.Cut(err.Error(), " ")
			if _, named := raw.Values[name]; !named && name != "entry" || len(err.Error()) > 500 {
				t.Errorf("refused with %q", err)
			}
			if good {
				t.Errorf("%+v is refused: %v", raw, err)
			}
			return
		}
		if !good || got.Entry != entry || got.At.UnixMilli() != ms {
			t.Errorf("%+v is read as %+v", raw, got)
		}
		if diff := cmp.Diff(raw.Values, fieldsOf(got)); diff != "" {
			t.Errorf("(-entry +as it was read):\n%s", diff)
		}
	})
}
