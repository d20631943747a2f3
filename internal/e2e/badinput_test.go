package e2e

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// TestBadInput: each answer names the field that is wrong, and nothing is half done: tables, keys and files are as they were.
func TestBadInput(t *testing.T) {
	t.Parallel()
	files := t.TempDir()
	d := deploy(t, "NETICKET_IMAGES_URL="+files)
	api := d.start(t, "api")
	boss, anna, nobody := admin(t, api), api.as(t, 71), api.as(t, 0)
	show := d.Show(t, 10, 0)
	d.Show(t, 10, 0)
	if r := boss.must(t, "PUT", path(setImage, show), photo(t, 40, 30, 200), "Content-Type: image/jpeg"); r.Status != 200 {
		t.Fatalf("an image to begin with: %+v", r)
	}
	for range 2 {
		if r, err := anna.book(show, 1); err != nil || r.Status != 202 {
			t.Fatalf("reservations to begin with: %+v, %v", r, err)
		}
	}
	servertest.Eventually(t, 10*time.Second, "both shows are on the list", func() bool {
		return len(nobody.must(t, "GET", "/api/v1/shows", "").Body["shows"].([]any)) == 2
	})
	before := d.everything(t, files)
	for _, bad := range slices.Concat(badShows(t, boss, show), badImages(t, boss, show), badQueries(t, nobody), badCursors(t, nobody, anna)) {
		bad.check(t, bad.send(t))
	}
	if diff := cmp.Diff(before, d.everything(t, files)); diff != "" {
		t.Errorf("something was done (-before +after):\n%s", diff)
	}
	good := line{"good", boss, update, show, posterWith(t, func(*poster) {}), "", "200", "title=Giselle"}
	if good.check(t, good.send(t)); cmp.Equal(before, d.everything(t, files)) {
		t.Error("a change would not be seen")
	}
}

// everything is a sum of each table, how many keys Redis has, and every file.
func (d *deployment) everything(t *testing.T, files string) map[string]string {
	t.Helper()
	found := map[string]string{"keys": fmt.Sprint(d.Redis.DBSize(t.Context()).Val())}
	tables, err := d.DB.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	for tables.Next() {
		var table, sum string
		if err := tables.Scan(&table); err != nil {
			t.Fatal(err)
		}
		if err := d.DB.QueryRow("CHECKSUM TABLE "+table).Scan(&table, &sum); err != nil {
			t.Fatal(err)
		}
		found[table] = sum
	}
	err = fs.WalkDir(os.DirFS(files), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found[path] = "a file"
		}
		return err
	})
	if err != nil || tables.Err() != nil || len(found) < 10 {
		t.Fatalf("found %v, %v, %v", found, err, tables.Err())
	}
	return found
}

// badShows are said of a new show, and of one that there is.
func badShows(t *testing.T, boss caller, show int64) (bad []line) {
	with := func(change func(p *poster)) string { return posterWith(t, change) }
	of := func(json string) string { return strings.Replace(with(func(*poster) {}), `"Giselle"`, json, 1) }
	for _, b := range []struct{ situation, body, want, field string }{
		{"ends before it begins", with(func(p *poster) { p.Closes = p.Opens.Add(-time.Second) }), "422 invalid", "sales_open_at"},
		{"opens as it closes", with(func(p *poster) { p.Opens = p.Closes }), "422 invalid", "sales_open_at"},
		{"opens after the show", with(func(p *poster) { p.Opens, p.Closes = p.Starts.Add(time.Hour), p.Starts }), "422 invalid", "sales_open_at"},
		{"is sold after it began", with(func(p *poster) { p.Closes = p.Starts.Add(time.Hour) }), "422 invalid", "sales_close_at"},
		{"the 30th of February", strings.Replace(with(func(p *poster) { p.Starts = time.Time{} }), "0001-01-01", "2027-02-30", 1), "422 invalid", "starts_at"},
		{"never", with(func(p *poster) { p.Starts = time.Time{} }), "422 invalid", "starts_at"},
		{"in 1,000 years", with(func(p *poster) { p.Starts = p.Starts.AddDate(1000, 0, 0) }), "422 invalid", "starts_at"},
		{"no unit", with(func(p *poster) { p.Capacity = 0 }), "422 invalid", "capacity"},
		{"10^9 units", with(func(p *poster) { p.Capacity = 1_000_000_000 }), "422 invalid", "capacity"},
		{"units without end", strings.Replace(with(func(*poster) {}), `"capacity":9`, `"capacity":9`+strings.Repeat("9", 99), 1), "422 invalid", "capacity"},
		{"half a unit", strings.Replace(with(func(*poster) {}), `"capacity":9`, `"capacity":9.5`, 1), "400 malformed", "capacity"},
		{"fewer than none for one", with(func(p *poster) { p.Limit = -1 }), "422 invalid", "limit_per_user"},
		{"10,000 characters", with(func(p *poster) { p.Title = strings.Repeat("x", 10_000) }), "422 invalid", "title"},
		{"spaces", of(`" \t\u3000\u00a0 "`), "422 invalid", "title"},
		{"nothing to see", of(`"\u200b\ufeff\u3164"`), "422 invalid", "title"},
		{"turned round", of(`"Swan \u202eekaL"`), "422 invalid", "title"},
		{"set apart", of(`"\u2067Swan\u2069"`), "422 invalid", "title"},
		{"a bell", of(`"Swan\u0007"`), "422 invalid", "title"},
		{"NUL", of(`"Swan\u0000"`), "422 invalid", "title"},
		{"half a character", of(`"Swan \ud83e"`), "422 invalid", "title"},
		{"two lines", of(`"Swan\nLake"`), "422 invalid", "title"},
		{"two titles", of(`"Swan","title":"Lake"`), "400 malformed", "title"},
		{"the host's zone", of(`"Swan","time_zone":"localtime"`), "422 invalid", "time_zone"},
		{"a picture in JSON", of(`"Swan","image":"iVBORw0KGgo="`), "400 malformed", "image"},
	} {
		bad = append(bad, line{b.situation, boss, create, "", b.body, "", b.want, "errors=" + b.field},
			line{b.situation, boss, update, show, b.body, "", b.want, "errors=" + b.field})
	}
	return bad
}

func badImages(t *testing.T, boss caller, show int64) (bad []line) {
	const gif = "GIF89a\x60\xea\x60\xea\x80\x00\x00\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x60\xea\x60\xea\x00\x02\x02\x44\x01\x3b" // 34 bytes, 60,000 x 60,000
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	good := photo(t, 300, 200, 9)
	for _, b := range []struct{ situation, body, header, want string }{
		{"34 bytes that claim 60,000 x 60,000", gif, "image/png", "422 invalid"},
		{"the same, told truly", gif, "image/gif", "415 unsupported_media_type"},
		{"half a file", good[:len(good)/2], "image/jpeg", "422 invalid"},
		{"a file without its end", good[:len(good)-2], "image/jpeg", "422 invalid"},
		{"20 MB", strings.Repeat("x", 20<<20), "image/jpeg\nExpect: 100-continue", "413 too_large"},
		{"an SVG with a script", svg, "image/svg+xml", "415 unsupported_media_type"},
		{"the same, said to be a PNG", svg, "image/png", "422 invalid"},
		{"a page", "<!doctype html><script>alert(1)</script>", "image/png", "422 invalid"},
		{"nothing", "\n", "image/png", "422 invalid"},
	} {
		bad = append(bad, line{b.situation, boss, setImage, show, b.body, "Content-Type: " + b.header, b.want, "errors=image"})
	}
	return bad
}

func badQueries(t *testing.T, nobody caller) (bad []line) {
	for q, want := range map[string]string{
		strings.Repeat("word ", 10_000): "422 invalid", strings.Repeat("🦢", 201): "422 invalid", " \u3000": "422 invalid", "\xff": "422 invalid",
		`%_\`: "200", "🦢": "200", "' OR 1=1 --": "200", "\x00": "200",
	} {
		l := line{fmt.Sprintf("%.20q", q), nobody, list + "?q=" + url.QueryEscape(q), "", "", "", want, "errors=q"}
		if want == "200" { // a word like any other, and no show has it
			l.holds = "shows"
			if found := l.send(t).Body["shows"].([]any); len(found) > 0 {
				t.Errorf("%q finds %v", q, found)
			}
		}
		bad = append(bad, l)
	}
	return append(bad, line{"%_\\ as it is", nobody, list + `?q=%_\`, "", "", "", "400 malformed", "errors=q"})
}

// badCursors are made up by hand: of nothing, of another list, and of a good one with other figures.
func badCursors(t *testing.T, nobody, anna caller) (bad []line) {
	cursorOf := func(l line) string {
		text, ok := l.send(t).Body["next_cursor"].(string)
		if !ok {
			t.Fatalf("no cursor of %s", l.call)
		}
		return text
	}
	shows, found := cursorOf(line{as: nobody, call: list + "?limit=1"}), cursorOf(line{as: nobody, call: list + "?limit=1&q=test"})
	own := cursorOf(line{as: anna, call: mine + "?limit=1"})
	forge := func(good string, at int, figure int64) string {
		raw, err := base64.RawURLEncoding.DecodeString(good)
		if err != nil {
			t.Fatal(err)
		}
		binary.BigEndian.PutUint64(raw[at:], uint64(figure))
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for situation, cursor := range map[string]string{
		"a number": "17", "a word": "next", "zeros": strings.Repeat("A", len(shows)), "longer": shows + "AAAA", "huge": strings.Repeat("A", 50_000),
		"of a search": found, "of reservations": own, "of 1970": forge(shows, 0, 0), "before all time": forge(shows, 0, math.MinInt64),
		"after all time": forge(shows, 0, math.MaxInt64), "a negative id": forge(shows, 9, -1), "no id": forge(shows, 9, 0),
	} {
		bad = append(bad, line{situation, nobody, list + "?cursor=" + cursor, "", "", "", "422 invalid", "errors=cursor"})
	}
	for situation, cursor := range map[string]string{
		"a number": "17", "of shows": shows, "before all time": forge(own, 0, math.MinInt64), "after all time": forge(own, 0, math.MaxInt64),
		"huge": strings.Repeat("A", 50_000), "zeros": strings.Repeat("A", len(own)),
	} {
		bad = append(bad, line{situation, anna, mine + "?cursor=" + cursor, "", "", "", "422 invalid", "errors=cursor"})
	}
	return append(bad, line{"of another state", nobody, list + "?state=ended&cursor=" + shows, "", "", "", "422 invalid", "errors=cursor"},
		line{"of other words", nobody, list + "?q=hall&cursor=" + found, "", "", "", "422 invalid", "errors=cursor"})
}
