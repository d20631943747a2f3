package auditlog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	for want, details := range map[string]any{
		`{}`:                       nil,
		`{"before":60,"drift":-5}`: map[string]any{"drift": -5, "before": 60},
		`{"title":{"before":"<a>","after":"백조"}}`: map[string]Change{"title": {"<a>", "백조"}},
	} {
		if got, err := encode(details); err != nil || got != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
	if _, err := encode(func() {}); err == nil {
		t.Error("what is no JSON is written down")
	}
}

// However much there is to tell, it fits, is JSON, and what is short stays whole.
func TestEncodeTooMuch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("긴 \"설명\"\n", 10_000)
	many := map[string]string{}
	for i := range 20_000 {
		many[fmt.Sprint(i)] = "x"
	}
	for name, test := range map[string]struct {
		details any
		whole   string // what is still there
	}{
		"a long text":           {map[string]any{"description": Change{"short", long}, "title": "백조의 호수"}, "백조의 호수"},
		"two long texts":        {map[string]any{"description": Change{long, long + "!"}, "title": "백조의 호수"}, "백조의 호수"},
		"in a list":             {map[string]any{"all": []string{long, long, long}, "title": "백조의 호수"}, "백조의 호수"},
		"bytes that are quoted": {map[string]any{"raw": strings.Repeat("\x00", 50_000), "title": "백조의 호수"}, "백조의 호수"},
		"many fields":           {many, `"0":"x"`},
		"a long name":           {map[string]any{long: 1}, "설명"},
		"no UTF-8":              {map[string]any{"raw": strings.Repeat("\xff", 100_000)}, "raw"},
	} {
		text, err := encode(test.details)
		var object map[string]any
		if err != nil || len(text) > maxDetails || !utf8.ValidString(text) || json.Unmarshal([]byte(text), &object) != nil {
			t.Errorf("%s: %d bytes, %v: %.100s", name, len(text), err, text)
		}
		if _, cut := object["cut"].(string); cut != (name == "many fields" || name == "a long name") {
			t.Errorf("%s: cut as a whole: %v", name, cut)
		} else if cut {
			text = object["cut"].(string)
		}
		if !strings.Contains(text, test.whole) || len(text) < maxDetails/4 {
			t.Errorf("%s: %d bytes are left, and want %s: %.100s", name, len(text), test.whole, text)
		}
	}
}

// A text says how long it was.
func TestShorten(t *testing.T) {
	t.Parallel()
	got := shorten(map[string]any{"a": "12345", "b": "가나다", "n": json.Number("1234567")}, 5)
	want := map[string]any{"a": "12345", "b": "가… (9 bytes in all)", "n": json.Number("1234567")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	got := Changes(map[string]any{"title": "A", "price": 1, "venue": "V"}, map[string]any{"title": "B", "price": 1, "venue": "V"})
	if diff := cmp.Diff(map[string]Change{"title": {"A", "B"}}, got); diff != "" {
		t.Error(diff)
	}
}
