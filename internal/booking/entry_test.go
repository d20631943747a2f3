package booking

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stream"
)

const goodID = "0189d3f2-1111-8111-8111-111111111111"

// goodFields are those of an entry as reserve.lua makes it.
func goodFields() map[string]any {
	return map[string]any{"v": "1", "kind": "reserve", "id": goodID, "show": "42", "user": "7", "units": "2", "epoch": "3",
		"seq": "9", "from": "api-1", "trace": "00-trace"}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	want := Entry{Entry: "1700000000123-4", At: time.UnixMilli(1700000000123).UTC(), Kind: Reserve, ID: uuid.MustParse(goodID),
		Show: 42, User: 7, Units: 2, Epoch: 3, Seq: 9, From: "api-1", Trace: "00-trace"}
	for name, change := range map[string]func(map[string]any){
		"a booking":       func(map[string]any) {},
		"an unknown more": func(fields map[string]any) { fields["more"] = "x" },
	} {
		fields := goodFields()
		change(fields)
		got, err := decode(stream.Entry{ID: "1700000000123-4", Values: fields})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	fields := goodFields()
	maps.Copy(fields, map[string]any{"kind": "cancel", "from": "", "trace": ""})
	want.Kind, want.From, want.Trace = Cancel, "", ""
	if got, err := decode(stream.Entry{ID: "1700000000123-4", Values: fields}); err != nil || got != want {
		t.Errorf("a cancel: %+v, %v; want %+v", got, err, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	check := func(name, field, entry string, values map[string]any) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode(stream.Entry{ID: entry, Values: values})
			if err == nil {
				t.Fatalf("accepted as %+v", got)
			}
			if !strings.HasPrefix(err.Error(), field+" ") {
				t.Errorf("%q does not name %s", err, field)
			}
			if len(err.Error()) > 500 {
				t.Errorf("the reason has %d bytes", len(err.Error()))
			}
		})
	}
	for field, values := range map[string][]string{
		"v":     {"", "0", "2", "1.0"},
		"kind":  {"", "RESERVE", "refund"},
		"id":    {"", "x", strings.ToUpper(goodID), "{" + goodID + "}", "urn:uuid:" + goodID, strings.ReplaceAll(goodID, "-", ""), goodID + "0"},
		"show":  {"", "0", "-1", "x", "1.5", "1e3", "99999999999999999999", "9223372036854775807"},
		"user":  {"", "0", "-7", "x", "99999999999999999999", "9223372036854775807"},
		"units": {"", "0", "-2", "x", "2.5", "2147483648", "9223372036854775807"},
		"epoch": {"", "0", "-3", "x", "99999999999999999999"},
		"seq":   {"", "0", "-9", "x", strings.Repeat("9", 5000)},
	} {
		fields := goodFields()
		delete(fields, field)
		check(field+" missing", field, "1700000000123-4", fields)
		for _, value := range values {
			fields := goodFields()
			fields[field] = value
			check(field+" "+value[:min(len(value), 40)], field, "1700000000123-4", fields)
		}
	}
	for _, id := range []string{"", "x", "9999x-0", "300000000000000-0", "18446744073709551615-1"} {
		check("entry id "+id, "entry id", id, goodFields())
	}
	check("nothing at all", "v", "1-1", nil)
}

// Whatever decode accepts can be stored: the greatest values are covered on a real server in TestRecordExtremes.
func TestDecodeExtremes(t *testing.T) {
	t.Parallel()
	fields := goodFields()
	maps.Copy(fields, map[string]any{"show": "4611686018427387904", "user": "4611686018427387904", "units": "1073741824",
		"epoch": "4611686018427387904", "seq": "4611686018427387904"})
	for _, id := range []string{"1-1", "221845392000000-1"} {
		if _, err := decode(stream.Entry{ID: id, Values: fields}); err != nil {
			t.Errorf("entry %s: %v", id, err)
		}
	}
}

// fields are those of an entry as reserve.lua and cancel.lua make it.
func (e Entry) fields() map[string]any {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return map[string]any{"v": "1", "kind": string(e.Kind), "id": e.ID.String(), "show": number(e.Show), "user": number(e.User),
		"units": number(int64(e.Units)), "epoch": number(e.Epoch), "seq": number(e.Seq), "from": e.From, "trace": e.Trace}
}

// FuzzDecode: an entry is decoded exactly if each field is well-formed; then nothing of it is lost, and else a field is named.
func FuzzDecode(f *testing.F) {
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
		got, err := decode(raw)
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
			t.Errorf("%+v is decoded as %+v", raw, got)
		}
		if diff := cmp.Diff(raw.Values, got.fields()); diff != "" {
			t.Errorf("(-entry +as it was decoded):\n%s", diff)
		}
	})
}
