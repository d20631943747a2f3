package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
)

// gallery takes any upload, and has one file.
type gallery struct {
	by     auditlog.Actor
	upload []byte
	calls  int
	err    error
}

const fileName = "0123456789abcdef0123456789abcdef-800.jpg"

func (g *gallery) SetImage(ctx context.Context, by auditlog.Actor, id int64, upload []byte) (show.Show, error) {
	g.by, g.upload = by, upload
	g.calls++
	return show.Show{ID: id, Image: "0123456789abcdef0123456789abcdef"}, cmp.Or(g.err, ctx.Err())
}

func (g *gallery) Read(_ context.Context, file string) ([]byte, error) {
	if file != fileName && g.err == nil {
		return nil, images.ErrNotFound
	}
	return []byte("pixels"), g.err
}

// form returns a form with a file in each of the fields, and its content type.
func form(t *testing.T, content string, fields ...string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range fields {
		part, err := w.CreateFormFile(field, "photo.png")
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

const imagePath = "/api/v1/admin/shows/1/image"

// upload sends a body with the header "Content-Type: ..." alone.
func (f *fixture) upload(path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("PUT", path, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	return f.serve(r, body)
}

func TestSetImage(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	token := f.token(1, account.Admin)
	sent := func(body, contentType string) {
		t.Helper()
		f.gallery.upload = nil
		w := f.upload(imagePath, body, contentType, token)
		if want := `{"image_url":"/images/` + fileName + `"}` + "\n"; w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s", contentType, w.Code, w.Body)
		}
		if string(f.gallery.upload) != "pixels" {
			t.Errorf("%s: stored %q", contentType, f.gallery.upload)
		}
	}
	for _, contentType := range []string{"image/jpeg", "image/png", "image/webp", "IMAGE/PNG; name=x"} {
		sent("pixels", "Content-Type: "+contentType)
	}
	sent(form(t, "pixels", "image"))
}

// slow is a body that takes a while to arrive.
type slow struct {
	strings.Reader
	takes time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	<-time.After(s.takes) // by the clock of synctest, for which nobody waits
	s.takes = 0
	return s.Reader.Read(p)
}

// An upload may take longer than any answer.
func TestSlowUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := withShow(t)
		body := &slow{*strings.NewReader("pixels"), answerWithin + time.Second}
		r := httptest.NewRequest("PUT", imagePath, body)
		r.Header.Set("Content-Type", "image/jpeg")
		_, token, _ := strings.Cut(f.token(1, account.Admin), ": ")
		r.Header.Set("Authorization", token)
		if w := f.serve(r, "pixels"); w.Code != 200 || string(f.gallery.upload) != "pixels" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestSetImageRefuses(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	token := f.token(1, account.Admin)
	full := strings.Repeat("x", images.MaxUpload)
	fits, formType := form(t, full, "image")
	over, overType := form(t, full+"x", "image")
	twice, twiceType := form(t, "pixels", "image", "image")
	none, noneType := form(t, "pixels")
	other, otherType := form(t, "pixels", "picture")
	const jpeg = "Content-Type: image/jpeg"
	for name, test := range map[string]struct {
		path, body, contentType string
		status                  int
		code, field             string
	}{
		"as large as can be":   {imagePath, full, jpeg, 200, "", ""},
		"a byte too many":      {imagePath, full + "x", jpeg, 413, "too_large", "image"},
		"far too large":        {imagePath, full + full, jpeg, 413, "too_large", "image"},
		"in a form":            {imagePath, fits, formType, 200, "", ""},
		"too large for a form": {imagePath, over, overType, 413, "too_large", "image"},
		"no type":              {imagePath, "pixels", "Accept: */*", 415, "unsupported_media_type", "image"},
		"GIF":                  {imagePath, "pixels", "Content-Type: image/gif", 415, "unsupported_media_type", "image"},
		"SVG":                  {imagePath, "<svg/>", "Content-Type: image/svg+xml", 415, "unsupported_media_type", "image"},
		"JSON":                 {imagePath, "{}", "Content-Type: application/json", 415, "unsupported_media_type", "image"},
		"half a form":          {imagePath, fits[:len(fits)/2], formType, 400, "malformed", ""},
		"form without a bound": {imagePath, fits, "Content-Type: multipart/form-data", 400, "malformed", ""},
		"two images":           {imagePath, twice, twiceType, 400, "malformed", "image"},
		"another field":        {imagePath, other, otherType, 400, "malformed", "picture"},
		"empty form":           {imagePath, none, noneType, 422, "invalid", "image"},
		"no show":              {"/api/v1/admin/shows/8/image", "pixels", jpeg, 404, "not_found", ""},
		"no id":                {"/api/v1/admin/shows/x/image", "pixels", jpeg, 404, "not_found", ""},
	} {
		f.gallery.calls = 0
		w := f.upload(test.path, test.body, test.contentType, token)
		if stored := map[int]int{200: 1}[test.status]; w.Code != test.status || f.gallery.calls != stored {
			t.Errorf("%s: got %d and stored %d, want %d: %.200s", name, w.Code, f.gallery.calls, test.status, w.Body)
		} else if test.code != "" {
			if p := wantProblem(t, w, test.status, test.code); test.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != test.field) {
				t.Errorf("%s: faults %v", name, p.Errors)
			}
		}
	}
	f.gallery.calls = 0
	wantProblem(t, f.upload(imagePath, "pixels", jpeg), 401, "unauthenticated")
	wantProblem(t, f.upload(imagePath, "pixels", jpeg, f.token(2, account.Customer)), 403, "forbidden")
	if f.gallery.calls != 0 {
		t.Error("stored for nobody")
	}
	bad := &invalid.Error{}
	bad.Add("image", "unreadable", "is damaged")
	f.gallery.err = bad
	if p := wantProblem(t, f.upload(imagePath, "pixels", jpeg, token), 422, "invalid"); len(p.Errors) != 1 || p.Errors[0] != bad.Fields[0] {
		t.Errorf("faults %v", p.Errors)
	}
	f.gallery.err = images.ErrBusy
	if w := f.upload(imagePath, "pixels", jpeg, token); w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d without Retry-After", w.Code)
	}
	f.gallery.err = errors.New("the bucket is away")
	wantProblem(t, f.upload(imagePath, "pixels", jpeg, token), 503, "unavailable")
}

// unread fails the test when somebody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestTooLargeIsNotRead(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	r := httptest.NewRequest("PUT", imagePath, unread{t})
	r.ContentLength = 2 * images.MaxUpload
	r.Header.Set("Content-Type", "image/jpeg")
	r.Header.Set("Authorization", strings.TrimPrefix(f.token(1, account.Admin), "Authorization: "))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	wantProblem(t, w, 413, "too_large")
}

func TestGetImage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, method := range []string{"GET", "HEAD"} {
		w := f.do(method, "/images/"+fileName, "", "Range: bytes=0-1")
		for name, want := range map[string]string{
			"Content-Type": "image/jpeg", "Cache-Control": "public, max-age=31536000, immutable", "Content-Length": "6",
			"ETag": `"0123456789abcdef0123456789abcdef-800"`, "X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", method, name, got, want)
			}
		}
		if want := map[string]string{"GET": "pixels"}[method]; w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q", method, w.Code, w.Body)
		}
	}
	tag := `"0123456789abcdef0123456789abcdef-800"`
	for header, want := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200} {
		if w := f.do("GET", "/images/"+fileName, "", "If-None-Match: "+header); w.Code != want || w.Code == 304 && w.Body.Len() > 0 {
			t.Errorf("%s: got %d %q, want %d", header, w.Code, w.Body, want)
		}
	}
	for _, path := range []string{"/images/x.jpg", "/images/..%2F" + fileName, "/images/", "/images", "/images/a/" + fileName} {
		w := f.do("GET", path, "")
		wantProblem(t, w, 404, "not_found")
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s may be kept: %s", path, got)
		}
	}
	if w := f.do(http.MethodPost, "/images/"+fileName, "x"); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
	f.gallery.err = errors.New("the bucket is away")
	w := f.do("GET", "/images/"+fileName, "")
	wantProblem(t, w, 503, "unavailable")
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("an outage may be kept: %s", got)
	}
}
