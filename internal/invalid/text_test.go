package invalid

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"백조의 호수":                     "",
		" Swan Lake\t":               "",
		"👩‍👩‍👧":                      "", // joined by characters that do not show
		"1":                          "",
		"!":                          "",
		"₩":                          "",
		strings.Repeat("가", 10):      "",
		strings.Repeat("가", 11):      "too_long",
		strings.Repeat("a", 10_000):  "too_long",
		"":                           "required",
		" \t\r\n\u00a0\u3000":        "required",
		"\u200b":                     "required", // of no width
		"\u2060\ufeff":               "required",
		"\u3164 \u115f\u1160 \uffa0": "required", // Hangul fillers, which are letters
		"\U000e0041":                 "required", // a tag
		"\u0301":                     "required", // an accent of nothing
		"\u2800":                     "required",
		"a\xff":                      "characters",
		"a\ufffd":                    "characters", // what JSON's "\ud800" is read as
		"a\x00b":                     "characters",
		"a\nb":                       "characters",
		"a\u2028b":                   "characters",
		"a\u202eb":                   "characters",
		"a\u200fb":                   "characters",
	} {
		var bad Error
		got := bad.Text("title", text, 1, 10, "")
		if want == "" && len(bad.Fields) > 0 || want != "" && (len(bad.Fields) != 1 || bad.Fields[0].Field != "title" || bad.Fields[0].Code != want) {
			t.Errorf("%.20q: %v, want %q", text, bad.Fields, want)
		}
		if got != strings.TrimSpace(text) {
			t.Errorf("%q: got %q", text, got)
		}
	}
	for _, text := range []string{"", "\u200b", "a\nb"} {
		var bad Error
		if bad.Text("description", text, 0, 10, "\n"); len(bad.Fields) > 0 {
			t.Errorf("%q, which may be empty: %v", text, bad.Fields)
		}
	}
}
