package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	create   = "POST /api/v1/admin/shows"
	update   = "PUT /api/v1/admin/shows/{id}"
	setImage = "PUT /api/v1/admin/shows/{id}/image"
	stocks   = "GET /api/v1/admin/stock"
	reset    = "POST /api/v1/admin/shows/{id}/stock/resync"
	picture  = "GET /images/{file}"
)

func (p poster) json(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// posterWith is what an admin says of a show that is on sale, but for the change.
func posterWith(t *testing.T, change func(p *poster)) string {
	t.Helper()
	now := time.Now()
	p := poster{"Giselle", "Opera", now.Add(3 * time.Hour), now.Add(-time.Hour), now.Add(2 * time.Hour), 9, 4}
	change(&p)
	return p.json(t)
}

func (w *walk) shows(t *testing.T) {
	boss := admin(t, w.api)
	good := posterWith(t, func(*poster) {})
	least := `{"title":"Giselle","venue":"Opera","starts_at":"2099-01-01T00:00:00Z","sales_open_at":"2026-01-01T00:00:00Z","capacity":9}`
	made := w.ask(t,
		line{"nothing at all", boss, create, "", "{}", "", "422 invalid", "errors=title errors=venue errors=starts_at errors=sales_open_at errors=capacity"},
		line{"the least", boss, create, "", least, "", "201", "Location price=0 time_zone=Asia/Seoul limit_per_user=0 sales_close_at=2099-01-01T00:00:00Z"},
		line{"a limit", boss, create, "", good, "", "201", "Location title=Giselle venue=Opera capacity=9 left=9 limit_per_user=4 state=on_sale"},
	)
	wantFields(t, "a show that was made", made.Body, showFields)
	id := made.Body["id"]
	if at := made.Header.Get("Location"); at != path(detail, id) {
		t.Errorf("show %v is at %s", id, at)
	}
	changed := w.ask(t,
		line{"bought", w.api.as(t, 71), book, id, two, wait, "201", ""},
		line{"another title", boss, update, id, strings.Replace(good, "Giselle", "Carmen", 1), "", "200", "title=Carmen left=7"},
		line{"more units", boss, update, id, posterWith(t, func(p *poster) { p.Capacity = 12 }), "", "200", "title=Giselle capacity=12 left=10"},
		line{"fewer than reserved", boss, update, id, posterWith(t, func(p *poster) { p.Capacity = 1 }), "", "409 capacity_below_reserved", "reserved=2"},
		line{"closes too late", boss, update, id, posterWith(t, func(p *poster) { p.Closes = p.Starts.Add(time.Hour) }), "", "422 invalid", "errors=sales_close_at"},
		line{"opens after it closes", boss, update, id, posterWith(t, func(p *poster) { p.Opens = p.Starts }), "", "422 invalid", "errors=sales_open_at"},
		line{"no such show", boss, update, 987654, good, "", "404 not_found", ""},
		line{"as it was before all that", boss, detail, id, "", "", "200", "title=Giselle capacity=12 left=10"},
	)
	wantFields(t, "a show", changed.Body, showFields)
}

func (w *walk) images(t *testing.T) {
	boss, show := admin(t, w.api), w.Show(t, 5, 0)
	const png = "Content-Type: image/png"
	good := photo(t, 40, 30, 200)
	stored := w.ask(t,
		line{"text", boss, setImage, show, "hello", png, "422 invalid", "errors=image"},
		line{"half", boss, setImage, show, good[:len(good)/2], png, "422 invalid", "errors=image"},
		line{"half a form", boss, setImage, show, "--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n", "Content-Type: multipart/form-data; boundary=x", "400 malformed", ""},
		line{"an SVG", boss, setImage, show, "<svg/>", "Content-Type: image/svg+xml", "415 unsupported_media_type", "errors=image"},
		line{"too large", boss, setImage, show, strings.Repeat("x", 11<<20), png + "\nExpect: 100-continue", "413 too_large", "errors=image"},
		line{"no such show", boss, setImage, 987654, good, png, "404 not_found", ""},
		line{"a JPEG that is called a PNG", boss, setImage, show, good, png, "200", "image_url"},
	)
	wantFields(t, "an upload", stored.Body, "image_url")
	url := fmt.Sprint(stored.Body["image_url"])
	if response, _ := get(t, w.api.url+url); response.StatusCode != 200 || response.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%s: %d %v", url, response.StatusCode, response.Header)
	}
	w.note(picture, "200")
	w.ask(t,
		line{"of the show", boss, detail, show, "", "", "200", "image_url=" + url},
		line{"none", boss, picture, strings.Repeat("0", 32) + "-800.jpg", "", "", "404 not_found", ""},
		line{"no name", boss, picture, "..%2fsecret", "", "", "404 not_found", ""},
	)
}

func (w *walk) stock(t *testing.T) {
	boss, show := admin(t, w.api), w.Show(t, 5, 0)
	w.ask(t, line{"bought", w.api.as(t, 71), book, show, two, wait, "201", ""})
	if err := w.Redis.HSet(t.Context(), w.Shards.Show(show), "left", 4).Err(); err != nil {
		t.Fatal(err)
	}
	resynced := w.ask(t,
		line{"a dry run, misspelt", boss, reset + "?dryrun=true", show, "", "", "422 invalid", "errors=dryrun"},
		line{"a dry run, in the body", boss, reset, show, `{"dry_run":true}`, "", "400 malformed", "errors=dry_run"},
		line{"a body too large", boss, reset, show, strings.Repeat(" ", 65<<10), "", "413 too_large", ""},
		line{"no such show", boss, reset, 987654, "", "", "404 not_found", ""},
		line{"a dry run", boss, reset + "?dry_run=true", show, "", "", "200", "before=4 after=3 drift=1 epoch dry_run=true"},
		line{"a dry run again", boss, reset + "?dry_run=true", show, "", "", "200", "before=4 after=3 drift=1 dry_run=true"},
		line{"for real", boss, reset, show, "", "", "200", "before=4 after=3 drift=1 epoch dry_run=false"},
	)
	wantFields(t, "a resync", resynced.Body, resyncFields)
	all := w.ask(t, line{"all", boss, stocks, "", "", "", "200", "stock.0.show_id"})
	for _, of := range all.Body["stock"].([]any) {
		wantFields(t, "a stock", of, stockFields)
		if field(of, "show_id") == float64(show) && spaced(field(of, "capacity"), field(of, "reserved"), field(of, "left"), field(of, "state")) != "5 2 3 open" {
			t.Errorf("the show's stock: %v", of)
		}
	}
}
