package web

import (
	"errors"
	"fmt"
	"html"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/page"
)

func showForm(changed ...string) url.Values {
	form := url.Values{
		"title": {"Swan Lake"}, "venue": {"Seoul Arts Center"}, "description": {"One\r\n\r\nTwo"}, "price": {"50000"}, "time_zone": {"Asia/Tokyo"},
		"starts_at": {"2026-05-03T23:00"}, "sales_open_at": {"2026-05-03T20:00"}, "sales_close_at": {""}, "capacity": {"100"}, "limit_per_user": {"4"},
		"image_alt": {"A swan"},
	}
	for i := 0; i < len(changed); i += 2 {
		form.Set(changed[i], changed[i+1])
	}
	return form
}

// The same form is the same show, however often it is sent.
func TestAdminAddsAShowOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	wantPage(t, f.adminGet("/admin/shows/new"), 200, `name="key" value="`)
	for field, value := range map[string]string{"key": "", "title": "Giselle"} {
		send := func(key, value string) string {
			wantSeeOther(t, f.adminPost("/admin/shows", showForm("key", "K", key, value)), "/admin/shows/9?done=show_added")
			return f.back.once
		}
		if first := send("key", "K"); first == "" || send("key", "K") != first || send(field, value) == first {
			t.Errorf("%s %q: %q, then %q", field, value, first, f.back.once)
		}
	}
}

func TestAdminAddsAShow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	wantPage(t, f.adminGet("/admin/shows/new"), 200, `action="/admin/shows"`, `value="Asia/Seoul"`, `type="datetime-local"`, "!multipart")
	wantSeeOther(t, f.adminPost("/admin/shows", showForm()), "/admin/shows/9?done=show_added")
	want := show.Draft{Title: "Swan Lake", Venue: "Seoul Arts Center", Description: "One\n\nTwo", ImageAlt: "A swan", Price: 50_000, TimeZone: "Asia/Tokyo",
		StartsAt: noon.Add(2 * time.Hour), SalesOpenAt: noon.Add(-time.Hour), SalesCloseAt: noon.Add(2 * time.Hour)}
	if f.back.draft != want || f.back.capacity != 100 || f.back.limit != 4 || f.back.by.UserID != 1 || f.back.by.RequestID == "" {
		t.Errorf("asked for %+v, %d, %d by %+v", f.back.draft, f.back.capacity, f.back.limit, f.back.by)
	}
	wantSeeOther(t, f.adminPost("/admin/shows", showForm("time_zone", "", "limit_per_user", " ", "utm_source", "x")), "/admin/shows/9?done=show_added")
	if f.back.draft.TimeZone != "Asia/Seoul" || f.back.limit != 0 {
		t.Errorf("defaults: %+v, limit %d", f.back.draft, f.back.limit)
	}
	// The longest that every field may be, in letters that take the most bytes in a form.
	longest := showForm("title", strings.Repeat("🎭", 200), "venue", strings.Repeat("🎭", 200), "description", strings.Repeat("🎭", 10_000), "image_alt", strings.Repeat("🎭", 300))
	wantSeeOther(t, f.adminPost("/admin/shows", longest), "/admin/shows/9?done=show_added")
	if f.back.calls != 3 {
		t.Errorf("%d shows were made", f.back.calls)
	}
	w := f.do("POST", "/admin/shows", newShow, f.token(1, account.Admin), "Accept: text/html")
	if w.Code != 415 || f.back.calls != 3 {
		t.Errorf("JSON: %d", w.Code)
	}
}

// Each fault stands beside its field, in words of both languages, what was typed is still there, and nothing is stored.
func TestAdminIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, test := range []struct{ field, value, code string }{
		{"title", " ", "required"}, {"title", strings.Repeat("가", 201), "too_long"}, {"title", "a\u202eb", "characters"},
		{"venue", "", "required"}, {"venue", strings.Repeat("x", 201), "too_long"}, {"venue", "a\x00b", "characters"},
		{"description", strings.Repeat("x", 10_001), "too_long"}, {"description", "\x01", "characters"},
		{"image_alt", strings.Repeat("x", 301), "too_long"}, {"image_alt", "a\nb", "characters"},
		{"price", "", "required"}, {"price", "₩50", "type"}, {"price", "1.5", "type"}, {"price", "-1", "out_of_range"}, {"price", "99999999999999999999", "out_of_range"},
		{"time_zone", "Asia/Nowhere", "unknown"}, {"time_zone", "Local", "unknown"},
		{"starts_at", "", "required"}, {"starts_at", "soon", "type"}, {"starts_at", "1999-01-01T00:00", "out_of_range"},
		{"sales_open_at", "", "required"}, {"sales_open_at", "2026-05-03", "type"}, {"sales_open_at", "2102-01-01T00:00", "out_of_range"}, {"sales_open_at", "2026-05-03T23:00", "order"},
		{"sales_close_at", "x", "type"}, {"sales_close_at", "2102-01-01T00:00", "out_of_range"}, {"sales_close_at", "2026-05-03T23:01", "order"},
		{"capacity", "", "required"}, {"capacity", "many", "type"}, {"capacity", "0", "out_of_range"}, {"capacity", "1000001", "out_of_range"},
		{"limit_per_user", "x", "type"}, {"limit_per_user", "-1", "out_of_range"},
	} {
		w := f.adminPost("/admin/shows", showForm(test.field, test.value))
		said, err := f.site.Text(page.English, "fault."+test.field+"."+test.code)
		if err != nil {
			t.Fatal(err)
		}
		wantPage(t, w, 422, `id="`+test.field+`-fault">`+strings.ReplaceAll(said, "'", "&#39;"), `aria-describedby="`+test.field+"-fault", `autofocus`,
			"Please correct 1 field.")
		for name, typed := range showForm(test.field, test.value) { // controls are no text of a page
			if text := `value="` + html.EscapeString(typed[0]) + `"`; name != "description" && !strings.ContainsAny(typed[0], "\x00\n") {
				wantPage(t, w, 422, text)
			}
		}
	}
	if f.back.calls != 0 {
		t.Errorf("%d shows were made", f.back.calls)
	}
	// A time that no clock shows, of each of the three.
	for _, field := range []string{"starts_at", "sales_open_at", "sales_close_at"} {
		w := f.adminPost("/admin/shows", showForm("time_zone", "Europe/Berlin", field, "2026-03-29T02:30"))
		wantPage(t, w, 422, `id="`+field+`-fault">There is no such time there`, `value="2026-03-29T02:30"`, "Europe/Berlin")
	}
}

func TestAdminEditsAShow(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	f.shelf.shows[0].SalesOpenAt = noon.Add(-time.Hour + 30*time.Second + 250*time.Millisecond)
	wantPage(t, f.adminGet("/admin/shows/9"), 200, "&lt;Swan&gt; &amp; &#34;Lake&#34;", "!<Swan>", `value="2026-05-03T23:00"`, `value="2026-05-03T20:00"`,
		`action="/admin/shows/9/image" enctype="multipart/form-data"`, "Asia/Tokyo", `href="/shows/9"`, "/posters/9-")
	for _, id := range []string{"8", "x", "09"} {
		wantPage(t, f.adminGet("/admin/shows/"+id), 404)
		wantPage(t, f.adminPost("/admin/shows/"+id, showForm()), 404)
	}
	wantSeeOther(t, f.adminPost("/admin/shows/9", showForm("title", "Giselle")), "/admin/shows/9?done=show_changed")
	if f.back.draft.Title != "Giselle" || !f.back.draft.SalesOpenAt.Equal(f.shelf.shows[0].SalesOpenAt) {
		t.Errorf("a time that nobody touched became %v of %v", f.back.draft.SalesOpenAt, f.shelf.shows[0].SalesOpenAt)
	}
	wantSeeOther(t, f.adminPost("/admin/shows/9", showForm("sales_open_at", "2026-05-03T20:01")), "/admin/shows/9?done=show_changed")
	if !f.back.draft.SalesOpenAt.Equal(noon.Add(-time.Hour + time.Minute)) {
		t.Errorf("a new time became %v", f.back.draft.SalesOpenAt)
	}
	wantSeeOther(t, f.adminPost("/admin/shows/9", showForm("time_zone", "Asia/Singapore")), "/admin/shows/9?done=show_changed")
	if !f.back.draft.SalesOpenAt.Equal(noon) {
		t.Errorf("in another zone it became %v", f.back.draft.SalesOpenAt)
	}
	wantPage(t, f.adminGet("/admin/shows/9?done=show_changed"), 200, "Saved.")
	wantPage(t, f.adminGet("/admin/shows/9?done=<b>"), 200, "!<b>")

	for name, test := range map[string]struct {
		err    error
		status int
		said   string
	}{
		"too few":     {&stock.CapacityError{Capacity: 90, Reserved: 95}, 409, `id="capacity-fault">95 are confirmed already`},
		"running":     {stock.ErrResyncRunning, 409, "by somebody else just now"},
		"not drained": {stock.ErrNotDrained, 503, "still being recorded"},
		"MySQL away":  {errors.New("invalid connection"), 503, "it is not known whether this was stored"},
	} {
		f.back.err = fmt.Errorf("resync of show 9: %w", test.err)
		w := f.adminPost("/admin/shows/9", showForm("title", "What was <typed>"))
		wantPage(t, w, test.status, test.said, `value="What was &lt;typed&gt;"`, "Seoul Arts Center")
		if (w.Header().Get("Retry-After") != "") != (test.status == 503 || name == "running") {
			t.Errorf("%s: Retry-After %q", name, w.Header().Get("Retry-After"))
		}
	}
	if lines := f.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "requests cannot be answered") {
		t.Errorf("the log says %q", lines)
	}
}

// Of two who edit a show at once, the later one is told what the other has changed before it is overwritten.
func TestAdminsEditTheSameShow(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	opened := func() string {
		t.Helper()
		of := regexp.MustCompile(`name="of" value="([^"]+)"`).FindStringSubmatch(f.adminGet("/admin/shows/9").Body.String())
		if of == nil {
			t.Fatal("the form does not tell what it was made from")
		}
		return of[1]
	}
	early := opened()
	f.shelf.shows[0].Venue, f.shelf.shows[0].Description = "Opera", "One\n\ntwo" // by the other one
	w := f.adminPost("/admin/shows/9", showForm("of", early, "title", "Mine"))
	wantPage(t, w, 409, "Somebody else has changed this show", `id="venue-fault">Stored by now: Opera`, `value="Mine"`, `name="of" value="`+opened()+`"`, "!"+early)
	if f.back.calls > 0 {
		t.Fatal("the other's change is overwritten")
	}
	wantPage(t, f.adminPost("/admin/shows/9", showForm("of", early, "title", "")), 422, `name="of" value="`+early+`"`) // it is still as old as it was
	wantSeeOther(t, f.adminPost("/admin/shows/9", showForm("of", opened(), "title", "Mine")), "/admin/shows/9?done=show_changed")
	same := showForm("of", early)
	for name, value := range storedForm(new(pageShow(newShowJSON(f.shelf.shows[0], f.shelf.levels[9], noon)))).Values {
		same.Set(name, strings.ReplaceAll(value, "\n", "\r\n"))
	}
	wantSeeOther(t, f.adminPost("/admin/shows/9", same), "/admin/shows/9?done=show_changed") // what is stored already, as after an answer that was lost
	wantSeeOther(t, f.adminPost("/admin/shows/9", showForm()), "/admin/shows/9?done=show_changed")
}

func TestAdminUploadsAnImage(t *testing.T) {
	t.Parallel()
	f := withShow9(t)
	token := f.token(1, account.Admin)
	send := func(body, contentType string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/admin/shows/9/image", strings.NewReader(body))
		for _, header := range []string{token, contentType, "Accept: text/html", "Accept-Language: en"} {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w
	}
	wantSeeOther(t, send(form(t, "pixels", "image")), "/admin/shows/9?done=image_changed")
	if string(f.gallery.upload) != "pixels" || f.gallery.calls != 1 {
		t.Errorf("stored %q, %d times", f.gallery.upload, f.gallery.calls)
	}
	const kept = `value="&lt;Swan&gt;`
	wantPage(t, send(form(t, "", "image")), 422, "Please choose a file.", kept)
	wantPage(t, send(form(t, "pixels")), 422, "Please choose a file.", kept)
	wantPage(t, send(form(t, strings.Repeat("x", images.MaxUpload+1), "image")), 413, `id="file-fault" role="alert">The file is too large`, kept)
	wantPage(t, send("pixels", "Content-Type: image/gif"), 415, "JPEG, PNG or WebP image.", kept)
	wantSeeOther(t, f.adminGet("/admin/shows/9/image"), "/admin/shows/9") // who reloads what a refused upload led to
	wantPage(t, send("--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\npix", "Content-Type: multipart/form-data; boundary=x"), 400, "did not arrive whole", kept)
	if f.gallery.calls != 1 {
		t.Errorf("%d were stored", f.gallery.calls-1)
	}
	for code, said := range map[string]string{"unknown_format": "JPEG, PNG or WebP", "too_large": "20 million", "shape": "too long", "animated": "animated", "unreadable": "damaged"} {
		var bad invalid.Error
		bad.Add("image", code, "")
		f.gallery.err = &bad
		wantPage(t, send(form(t, "pixels", "image")), 422, said, kept)
	}
	f.gallery.err = images.ErrBusy
	wantPage(t, send(form(t, "pixels", "image")), 503, "Other images are being stored", kept)
	f.gallery.err = errors.New("no space left")
	wantPage(t, send(form(t, "pixels", "image")), 503, "Images cannot be stored just now", kept)
	f.gallery.err = show.ErrNotFound
	wantPage(t, send(form(t, "pixels", "image")), 404)
}
