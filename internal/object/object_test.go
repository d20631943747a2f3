package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/invalid"
)

type testBody struct {
	amounts
	Name  string     `json:"name"`
	At    time.Time  `json:"at"`
	Until *time.Time `json:"until"`
	Dry   bool       `json:"dry"`
	Last  time.Time  `json:"last,omitzero"`
}

type amounts struct {
	Units int   `json:"units"`
	Price int64 `json:"price"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		body string
		want any // testBody, or "status field code" of all faults
	}{
		"empty object":                  {`{}`, testBody{}},
		"spaces":                        {" \t\r\n{ \"units\" : 2 , \"name\" : \"a\" } \n", testBody{amounts: amounts{Units: 2}, Name: "a"}},
		"every type":                    {`{"units":-2,"price":3,"name":"\u0061\"}","at":"2026-05-03T10:00:00Z","until":"2026-05-03T10:00:00Z","dry":true,"last":"2026-05-03T10:00:00Z"}`, testBody{amounts{-2, 3}, `a"}`, at, &at, true, at}},
		"null for a pointer":            {`{"until":null}`, testBody{}},
		"null for what may be left out": {`{"last":null}`, testBody{}},
		"escaped name":                  {`{"\u0075nits":2}`, testBody{amounts: amounts{Units: 2}}},

		"empty":                          {``, "malformed  syntax"},
		"not JSON":                       {`units=2`, "malformed  syntax"},
		"cut":                            {`{"units":2`, "malformed  syntax"},
		"trailing data":                  {`{"units":2} x`, "malformed  syntax"},
		"two objects":                    {`{"units":2}{"units":3}`, "malformed  syntax"},
		"not UTF-8":                      {"{\"name\":\"\xff\"}", "malformed  syntax"},
		"byte order mark":                {"\ufeff{}", "malformed  syntax"},
		"null":                           {`null`, "malformed  type"},
		"an array":                       {`[{"units":2}]`, "malformed  type"},
		"a number":                       {`2`, "malformed  type"},
		"unknown field":                  {`{"units":2,"colour":"red"}`, "malformed colour unknown"},
		"other case":                     {`{"Units":2}`, "malformed Units unknown"},
		"no name":                        {`{"":2}`, "malformed  unknown"},
		"given twice":                    {`{"units":2,"units":2}`, "malformed units repeated"},
		"twice, one escaped":             {`{"units":2,"unit\u0073":2}`, "malformed units repeated"},
		"a fraction":                     {`{"units":1.5}`, "malformed units type"},
		"a fraction of 0":                {`{"units":1.0}`, "malformed units type"},
		"a string for a number":          {`{"units":"2"}`, "malformed units type"},
		"an exponent":                    {`{"units":1e9}`, "malformed units type"},
		"true for a number":              {`{"units":true}`, "malformed units type"},
		"null for a number":              {`{"units":null}`, "malformed units type"},
		"an object for a number":         {`{"units":{"a":[1,"}"]}}`, "malformed units type"},
		"a number for a string":          {`{"name":2}`, "malformed name type"},
		"a number for a time":            {`{"at":2}`, "malformed at type"},
		"a number for a bool":            {`{"dry":1}`, "malformed dry type"},
		"beyond 64 bits":                 {`{"units":99999999999999999999}`, "invalid units out_of_range"},
		"not a time":                     {`{"at":"tomorrow"}`, "invalid at format"},
		"not a time, optional":           {`{"until":"2026-05-03"}`, "invalid until format"},
		"nothing that can be understood": {`{"units":99999999999999999999,"at":"tomorrow","name":"a"}`, "invalid units out_of_range at format"},
		"in vain":                        {`{"at":"tomorrow","units":"2"}`, "malformed units type"},
		"deep":                           {`{"units":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "malformed  syntax"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body testBody
			err := Decode([]byte(test.body), &body)
			switch want := test.want.(type) {
			case testBody:
				if err != nil {
					t.Error(err)
				} else if diff := cmp.Diff(want, body, cmp.AllowUnexported(testBody{})); diff != "" {
					t.Error(diff)
				}
			case string:
				got := "no error"
				if bad, ok := errors.AsType[*invalid.Malformed](err); ok {
					got = "malformed " + bad.Field + " " + bad.Code
				} else if bad, ok := errors.AsType[*invalid.Error](err); ok {
					got = "invalid"
					for _, f := range bad.Fields {
						got += " " + f.Field + " " + f.Code
					}
				}
				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

// What members finds in an object is what encoding/json finds.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{}`, `{ }`, `{"a":1,"b":[{"c":"]}"}] , "d" : "\\\""}`, `{"a\"":{},"":null}`, `{"a":[],"b":{"c":{}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.TrimLeft(data, space)
		want := map[string]json.RawMessage{}
		if json.Unmarshal(data, &want) != nil || data[0] != '{' {
			return
		}
		got := map[string]json.RawMessage{}
		for name, raw := range members(data) {
			if !json.Valid(raw) {
				t.Fatalf("%q is no value", raw)
			}
			var key string
			quoted, _ := json.Marshal(name)
			_ = json.Unmarshal(quoted, &key) // as encoding/json repairs what is no UTF-8
			got[key] = raw
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzDecode: an object is taken exactly if encoding/json takes it and it keeps to the rules of Decode, and then it means the same.
// Of one that is refused, a field that it holds is named, or none where it is no JSON object.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` {"units":2}` + "\n", `{"units":-2,"price":3,"name":"\u0061\"}","at":"2026-05-03T10:00:00Z","until":"2026-05-03T10:00:00+09:00","dry":true}`,
		`{"until":null,"last":null}`, `{"name":null}`, `{"\u0075nits":2}`, `{"units":2,"unit\u0073":2}`, `{"Units":2}`, `{"units":1e2}`, `{"units":-0}`,
		`{"name":"\ud800"}`, `{"\ud800":1}`, `{"units":9223372036854775808,"at":"tomorrow"}`, `{"at":"2026-02-30T10:00:00Z"}`, `{"at":7}`, `{"dry":"true"}`,
		`null`, `[{}]`, `"{"`, `{"units":2}{}`, `{"units":{"a":[1,"}"]}}`, "{\"name\":\"\xff\"}", "\ufeff{}", ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return // no caller lets more through
		}
		names, taken := keepsRules(data)
		var want, got testBody
		taken = taken && json.Unmarshal(data, &want) == nil
		err := Decode(data, &got)
		if (err == nil) != taken {
			t.Fatalf("taken with %v, should be %v", err, taken)
		}
		var faults []invalid.Field
		if bad, ok := errors.AsType[*invalid.Malformed](err); ok {
			faults = []invalid.Field{bad.Fault()}
		} else if bad, ok := errors.AsType[*invalid.Error](err); ok {
			faults = bad.Fields
		} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(testBody{})); diff != "" {
			t.Errorf("(-encoding/json +got):\n%s", diff)
		}
		if (err == nil) != (len(faults) == 0) {
			t.Errorf("refused with %v", err)
		}
		for _, fault := range faults {
			named := slices.ContainsFunc(names, func(name string) bool { return fault.Field == name[:min(len(name), 100)] })
			if fault.Code == "" || fault.Message == "" || !named && (len(names) > 0 || fault.Field != "") {
				t.Errorf("refused with %v; it holds %q", err, names)
			}
		}
	})
}

// keepsRules returns the names in a JSON object, none for anything else, and whether it keeps to what Decode asks for beyond
// encoding/json.
func keepsRules(data []byte) (names []string, keeps bool) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, false
	}
	tokens := json.NewDecoder(bytes.NewReader(data))
	if first, _ := tokens.Token(); first != json.Delim('{') {
		return nil, false
	}
	keeps = true
	for tokens.More() {
		token, _ := tokens.Token()
		name, _ := token.(string)
		var value json.RawMessage
		_ = tokens.Decode(&value)
		known := slices.Contains([]string{"units", "price", "name", "at", "until", "dry", "last"}, name)
		keeps = keeps && known && !slices.Contains(names, name) && (name == "until" || name == "last" || string(value) != "null")
		names = append(names, name)
	}
	return names, keeps
}

func BenchmarkDecode(b *testing.B) {
	var body struct {
		Units int `json:"units"`
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode([]byte(`{"units":2}`), &body); err != nil {
			b.Fatal(err)
		}
	}
}
