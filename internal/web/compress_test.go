package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
)

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "x-gzip": true, "GZip": true, "deflate, gzip;q=0.5": true, "br;q=1.0,gzip ; q=0.001": true, "*": true, "*;q=0.1": true,
		"identity": false, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;Q=0": false, "*;q=0": false, "gzip;q=0, *": false, "*, gzip;q=0": false,
		"*;q=0, gzip": true, "gzip;q=": false, "gzip;q=x": false, "gzipped": false, "br, zstd": false, ",, gzip ,": true, "gzip;level=9;q=0": false,
	} {
		if got := acceptsGzip(http.Header{"Accept-Encoding": {header}}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
	if !acceptsGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}) || acceptsGzip(nil) {
		t.Error("of two lines both count, and none is none")
	}
}

func inflated(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
		t.Errorf("a body of %d bytes is said to have %s", w.Body.Len(), got)
	}
	r, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const takesGzip = "Accept-Encoding: gzip, deflate, br"

// What anybody may see is compressed for who accepts it, and is the same page. What is somebody's own is never.
func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Compress: true})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	f.box.answer = booked(booking.Confirmed)
	me := f.token(7, account.Customer)
	key := regexp.MustCompile(`name="key" value="[^"]*"`) // new each time
	for _, path := range []string{"/", "/search?q=swan", "/shows/1"} {
		for _, who := range []string{"X-Nobody: 1", me} {
			plain, small := f.page("GET", path, "", who), f.page("GET", path, "", who, takesGzip)
			if got := small.Header().Get("Content-Encoding"); got != "gzip" || small.Body.Len() > plain.Body.Len()/2 {
				t.Errorf("%s: encoding %q, %d bytes of %d", path, got, small.Body.Len(), plain.Body.Len())
			}
			if got, want := key.ReplaceAllString(inflated(t, small), ""), key.ReplaceAllString(plain.Body.String(), ""); got != want {
				t.Errorf("%s: compressed it is\n%s\nwant\n%s", path, got, want)
			}
			for _, w := range []*httptest.ResponseRecorder{plain, small} {
				if w.Header().Get("Vary") != "Cookie, Accept-Language, Accept-Encoding" || w.Header().Get("Content-Type") != "text/html; charset=UTF-8" {
					t.Errorf("%s: %v", path, w.Header())
				}
			}
		}
		if w := f.page("GET", path, "", "Accept-Encoding: gzip;q=0"); w.Header().Get("Content-Encoding") != "" || !strings.HasPrefix(w.Body.String(), "<!doctype") {
			t.Errorf("%s: compressed for who does not take it", path)
		}
	}
	for _, path := range []string{minePath, minePath + "/cancel", "/reservations", "/password", "/login?next=/", "/shows/404", "/images/x.jpg", "/api/v1/shows"} {
		w := f.page("GET", path, "", me, takesGzip)
		if w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", path)
		}
	}
	if w := f.page("GET", "/admin/queue", "", f.token(1, account.Admin), takesGzip); w.Code != 200 || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("an admin's page: %d, %v", w.Code, w.Header())
	}
	if w := f.page("HEAD", "/", "", takesGzip); w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %v", w.Header())
	}
}

// A file has one tag for each encoding, and each holds for its own.
func TestFilesAreCompressed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Compress: true})
	stylesheet, err := f.site.Files.URL("site.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{stylesheet, "/docs", "/api/openapi.yaml"} {
		plain, small := f.page("GET", path, ""), f.page("GET", path, "", takesGzip)
		if small.Header().Get("Content-Encoding") != "gzip" || inflated(t, small) != plain.Body.String() || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: %v, then %v", path, plain.Header(), small.Header())
		}
		if plain.Header().Get("Vary") != "Accept-Encoding" || small.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: it varies by %q", path, plain.Header().Get("Vary"))
		}
		one, other := plain.Header().Get("ETag"), small.Header().Get("ETag")
		if one == "" || other == "" || one == other {
			t.Errorf("%s: tags %q and %q", path, one, other)
		}
		for _, test := range []struct {
			tag, accepts string
			want         int
		}{{one, "Accept-Encoding: br", 304}, {other, takesGzip, 304}, {one, takesGzip, 200}, {other, "Accept-Encoding: br", 200}, {"W/" + other, takesGzip, 304}} {
			w := f.page("GET", path, "", "If-None-Match: "+test.tag, test.accepts)
			if w.Code != test.want || w.Code == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Encoding") != "") {
				t.Errorf("%s: who has %s, with %s, gets %d, want %d: %v", path, test.tag, test.accepts, w.Code, test.want, w.Header())
			}
		}
	}
}

// Behind a proxy that compresses, it can be off.
func TestCompressionIsOff(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for _, path := range []string{"/", "/shows/1", "/docs"} {
		w := f.page("GET", path, "", takesGzip)
		if w.Header().Get("Content-Encoding") != "" || strings.Contains(w.Header().Get("Vary"), "Encoding") {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}

// BenchmarkGzip is what it costs to compress a show's page.
func BenchmarkGzip(b *testing.B) {
	f := readingFixture(b)
	w := f.page("GET", "/shows/1", "")
	b.SetBytes(int64(w.Body.Len()))
	b.ReportAllocs()
	var to []byte
	for b.Loop() {
		to = appendGzip(to[:0], w.Body.Bytes())
	}
	b.ReportMetric(float64(len(to))/float64(w.Body.Len()), "size")
}
