package booking

import (
	"maps"
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
