package web

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
)

// What a body may be is told by the tests of package object.
func TestReadBody(t *testing.T) {
	t.Parallel()
	padding := strings.Repeat(" ", maxBody)
	for name, test := range map[string]struct {
		body      string
		malformed bool
		want      error
	}{
		"a body":              {`{"units":2}`, false, nil},
		"as large as allowed": {`{"units":2}` + padding[:maxBody-11], false, nil},
		"too large":           {`{"units":2}` + padding[:maxBody-10], false, errTooLarge},
		"not JSON":            {`units=2`, true, nil},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		var body struct {
			Units int `json:"units"`
		}
		err := readBody(echo.New().NewContext(r, httptest.NewRecorder()), &body)
		if _, malformed := errors.AsType[*invalid.Malformed](err); malformed != test.malformed || !malformed && !errors.Is(err, test.want) || err == nil && body.Units != 2 {
			t.Errorf("%s: %+v, %v", name, body, err)
		}
	}
}

// Who compresses a body is told so, and not that it is no JSON.
func TestCompressedBody(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for _, encoding := range []string{"gzip", "br", "identity, gzip"} {
		wantProblem(t, f.do("POST", "/api/v1/login", "{}", "Content-Encoding: "+encoding), 415, "unsupported_media_type")
		w := f.upload(imagePath, "pixels", "Content-Type: image/png", "Content-Encoding: "+encoding, f.token(1, account.Admin))
		wantProblem(t, w, 415, "unsupported_media_type")
	}
	if w := f.do("POST", "/api/v1/login", `{"email":"a@b.c","password":"p"}`, "Content-Encoding: Identity"); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"application/json":                  true,
		"application/json; charset=utf-8":   true,
		"Application/JSON;charset=UTF-8":    true,
		"":                                  false,
		"text/plain":                        false,
		"application/x-www-form-urlencoded": false,
		"application/jsonp":                 false,
		"application/problem+json":          false,
		"application/json; =":               false,
	} {
		if got := isJSON(header); got != want {
			t.Errorf("%q: got %v", header, got)
		}
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("connection reset")))
	r.Header.Set("Content-Type", "application/json")
	err := readBody(echo.New().NewContext(r, httptest.NewRecorder()), &struct{}{})
	if _, ok := errors.AsType[*invalid.Malformed](err); !ok {
		t.Errorf("got %v", err)
	}
}
