package web

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

var unitsBodies = []string{
	`{"units":2}`, `{"units": 2}`, `{"units":0}`, `{"units":100}`, `{"units":999999999}`, // read without package object
	`{"units":02}`, `{"units":-1}`, `{"units":+1}`, `{"units":}`, `{"units": }`, `{"units":1e2}`, `{"units":1.0}`, `{"units":9999999999}`, `{"units":99999999999999999999}`,
	`{"units":2}}`, `{"units":2`, `{"units":2,"units":3}`, `{"Units":2}`, ` { "units" : 2 } `, "{\"units\":2}\n", `{"units":null}`, `{"units":"2"}`, `{}`, ``, `2`, `{"units":  2}`,
}

// samePlain checks that what plainUnits reads, package object reads too, as the same.
func samePlain(t *testing.T, body string) {
	t.Helper()
	units, ok := plainUnits([]byte(body))
	if !ok {
		return
	}
	if want, err := strictUnits([]byte(body)); err != nil || units != want {
		t.Errorf("%q: read %d; package object reads %d, %v", body, units, want, err)
	}
}

func TestPlainUnits(t *testing.T) {
	t.Parallel()
	for i, body := range unitsBodies {
		samePlain(t, body)
		if _, ok := plainUnits([]byte(body)); ok != (i < 5) {
			t.Errorf("%q: read by hand: %v", body, ok)
		}
	}
}

func FuzzPlainUnits(f *testing.F) {
	for _, body := range unitsBodies {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) { samePlain(t, body) })
}

// Whether a client says how long a body is makes no difference, nor does how it is cut.
func TestReadUnits(t *testing.T) {
	t.Parallel()
	read := func(body string, length int64) (int, error) {
		r := httptest.NewRequest("POST", "/", struct{ io.Reader }{strings.NewReader(body)})
		r.ContentLength = length
		r.Header.Set("Content-Type", "application/json")
		return readUnits(echo.New().NewContext(r, httptest.NewRecorder()))
	}
	for _, body := range append(unitsBodies, `{"units":`+strings.Repeat(" ", maxPlain)+`2}`) {
		units, err := read(body, int64(len(body)))
		want, wantErr := read(body, -1)
		if units != want || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("%q: read %d, %v; as one of unknown length %d, %v", body, units, err, want, wantErr)
		}
	}
	for _, length := range []int64{maxPlain, maxBody} {
		_, err := read(`{"units":2}`, length)
		if bad, ok := errors.AsType[*invalid.Malformed](err); !ok || bad.Code != "incomplete" {
			t.Errorf("a body shorter than it says, %d bytes: %v", length, err)
		}
	}
}
