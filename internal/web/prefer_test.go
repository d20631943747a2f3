package web

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

func TestPreferredWait(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		headers []string
		seconds int // -1: refused
		applied string
	}{
		"none":                         {nil, 0, ""},
		"empty":                        {[]string{""}, 0, ""},
		"0":                            {[]string{"wait=0"}, 0, "wait=0"},
		"3":                            {[]string{"wait=3"}, 3, "wait=3"},
		"10":                           {[]string{"wait=10"}, 10, "wait=10"},
		"leading zero":                 {[]string{"wait=03"}, 3, "wait=3"},
		"another case":                 {[]string{"WAIT=3"}, 3, "wait=3"},
		"spaces":                       {[]string{"\t wait \t= 3 "}, 3, "wait=3"},
		"quoted":                       {[]string{`wait="3"`}, 3, "wait=3"},
		"behind another":               {[]string{"respond-async, wait=3"}, 3, "wait=3"},
		"before another":               {[]string{"wait=3,respond-async"}, 3, "wait=3"},
		"with a parameter":             {[]string{"wait=3; foo"}, 3, "wait=3"},
		"with parameters":              {[]string{`wait=3;foo="a;b,c";wait=9 , x`}, 3, "wait=3"},
		"empty items":                  {[]string{", ,;,wait=3,"}, 3, "wait=3"},
		"several headers":              {[]string{"respond-async", "handling=lenient, wait=3"}, 3, "wait=3"},
		"the first counts":             {[]string{"wait=3, wait=4", "wait=99"}, 3, "wait=3"},
		"in the quotes of another":     {[]string{`foo="a, wait=99", wait=3`}, 3, "wait=3"},
		"behind a quoted quote":        {[]string{`foo="a\", wait=99", wait=3`}, 3, "wait=3"},
		"quotes that are left open":    {[]string{`foo="a, wait=99`, "wait=3"}, 3, "wait=3"},
		"parameter of another":         {[]string{"respond-async; wait=99"}, 0, ""},
		"another that begins the same": {[]string{"waiting=99, wait-not=99"}, 0, ""},
		"another that ends the same":   {[]string{"await=99"}, 0, ""},

		"too long":             {[]string{"wait=11"}, -1, ""},
		"far too long":         {[]string{"wait=99999999999999999999"}, -1, ""},
		"negative":             {[]string{"wait=-1"}, -1, ""},
		"with a sign":          {[]string{"wait=+3"}, -1, ""},
		"no value":             {[]string{"wait"}, -1, ""},
		"no value, parameter":  {[]string{"wait; foo=3"}, -1, ""},
		"empty value":          {[]string{"wait="}, -1, ""},
		"empty quotes":         {[]string{`wait=""`}, -1, ""},
		"one quote":            {[]string{`wait="3`}, -1, ""},
		"nothing but a quote":  {[]string{`wait="`}, -1, ""},
		"a fraction":           {[]string{"wait=1.5"}, -1, ""},
		"a word":               {[]string{"wait=long"}, -1, ""},
		"two numbers":          {[]string{"wait=1 2"}, -1, ""},
		"hexadecimal":          {[]string{"wait=0x3"}, -1, ""},
		"digits of a language": {[]string{"wait=３"}, -1, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Prefer"] = test.headers
		w := httptest.NewRecorder()
		var bad invalid.Error
		got := preferredWait(echo.New().NewContext(r, w), &bad)
		if applied := w.Header().Get("Preference-Applied"); applied != test.applied {
			t.Errorf("%s: Preference-Applied is %q, want %q", name, applied, test.applied)
		}
		if refused := len(bad.Fields) == 1 && bad.Fields[0].Field == "Prefer"; refused != (test.seconds < 0) {
			t.Errorf("%s: faults %v", name, bad.Fields)
		} else if !refused && got != time.Duration(test.seconds)*time.Second {
			t.Errorf("%s: got %v, want %d s", name, got, test.seconds)
		}
	}
}
