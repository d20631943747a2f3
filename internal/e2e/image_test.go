package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

// place is what a phone writes into a photograph, and nobody else is to read.
const place = "Exif\x00\x00 37.5796 N 126.9770 E"

// photo returns a JPEG of one colour with a place in it.
func photo(t *testing.T, width, height int, shade uint8) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	segment := slices.Concat([]byte{0xff, 0xe1, 0, byte(2 + len(place))}, []byte(place))
	return string(slices.Insert(b.Bytes(), 2, segment...))
}

func get(t *testing.T, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	checkDocumented(apidoctest.Exchange{Request: request, Status: response.StatusCode, Header: response.Header, Body: body})
	return response, body
}

// TestImageOfAShow is the way of an image: from an admin, through one API, to whoever looks at the show at another.
func TestImageOfAShow(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 4)
	boss := admin(t, d.start(t, "api"))
	other := d.start(t, "api")
	path := fmt.Sprintf("/api/v1/admin/shows/%d/image", show)
	put := func(as caller, upload string) reply {
		t.Helper()
		return as.must(t, "PUT", path, upload, "Content-Type: image/png") // which it is not, and that is all right
	}
	upload := photo(t, 2000, 1000, 200)

	if r := put(caller{url: boss.url, http: boss.http}, upload); r.Status != 401 {
		t.Errorf("nobody: %+v", r)
	}
	if r := put(d.as(t, 7), upload); r.Status != 403 {
		t.Errorf("a customer: %+v", r)
	}
	for what, bad := range map[string]string{
		"half": upload[:len(upload)/2], "text": "hello", "SVG": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
		"GIF": "GIF89a\x60\xea\x60\xea\x80\x00\x00\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x60\xea\x60\xea\x00\x02\x02\x44\x01\x00\x3b",
	} {
		if r := put(boss, bad); r.Status != 422 || r.code() != "invalid" || !strings.Contains(fmt.Sprint(r.Body["errors"]), "field:image") {
			t.Errorf("%s: %+v", what, r)
		}
	}
	before := boss.must(t, "GET", fmt.Sprintf("/api/v1/shows/%d", show), "")
	if before.Body["image_url"] != nil {
		t.Errorf("the show has an image before it was given one: %+v", before)
	}

	r := put(boss, upload)
	url, _ := r.Body["image_url"].(string)
	if r.Status != 200 || !strings.HasSuffix(url, "-800.jpg") {
		t.Fatalf("upload: %+v", r)
	}
	if again := put(boss, upload); again.Status != 200 || again.Body["image_url"] != url {
		t.Errorf("the same again: %+v, want %s", again, url)
	}
	if at := boss.must(t, "GET", fmt.Sprintf("/api/v1/shows/%d", show), ""); at.Body["image_url"] != url {
		t.Errorf("the show where it was changed: %+v", at)
	}
	there := caller{url: other.url, http: http.DefaultClient}
	servertest.Eventually(t, 10*time.Second, "the other API shows the image", func() bool {
		return there.must(t, "GET", fmt.Sprintf("/api/v1/shows/%d", show), "").Body["image_url"] == url
	})

	for width, want := range map[string]image.Point{"400": {400, 200}, "800": {800, 400}, "1600": {1600, 800}} {
		at := other.url + strings.TrimSuffix(url, "800.jpg") + width + ".jpg"
		response, file := get(t, at)
		m, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("%s: %d %s, %v", at, response.StatusCode, file, err)
		}
		if m.Bounds().Size() != want || color.GrayModel.Convert(m.At(9, 9)) != (color.Gray{200}) {
			t.Errorf("%s: %v, %v", at, m.Bounds(), m.At(9, 9))
		}
		if bytes.Contains(file, []byte("Exif")) || bytes.Contains(file, []byte("37.57")) {
			t.Errorf("%s tells where the photograph was taken", at)
		}
		if got := response.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("Cache-Control: %s", got)
		}
		if response, _ := get(t, at, "If-None-Match: "+response.Header.Get("ETag")); response.StatusCode != 304 {
			t.Errorf("asked again: %d", response.StatusCode)
		}
	}

	if next := put(boss, photo(t, 500, 700, 90)); next.Status != 200 || next.Body["image_url"] == url {
		t.Errorf("another image: %+v", next)
	}
	if response, _ := get(t, boss.url+url); response.StatusCode != 200 {
		t.Errorf("the old image, which a page may still show: %d", response.StatusCode)
	}
	if r := boss.must(t, "PUT", path, strings.Repeat("x", 20<<20), "Content-Type: image/jpeg", "Expect: 100-continue"); r.Status != 413 {
		t.Errorf("20 MB: %+v", r)
	}
}
