package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestBrowserWeight: a page is small, and nothing but the stylesheet keeps it from being shown.
func TestBrowserWeight(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	var show int64
	for i := range 12 {
		show = d.stage(t, stage{title: fmt.Sprint("Swan Lake ", i), description: strings.Repeat("A ballet in four acts. ", 40), capacity: 100})
	}
	d.start(t, "api")
	d.start(t, "worker")
	booked, err := d.as(t, 7).book(show, 2, "Prefer: wait=5")
	if err != nil || booked.Status != 201 {
		t.Fatalf("book: %+v, %v", booked, err)
	}
	for _, path := range []string{"/", "/search?q=swan", fmt.Sprint("/shows/", show), bookedAt(show) + booked.id()} {
		v := d.visitor(t, "ko") // who comes for the first time
		v.logInAs(token(t, 7))
		v.goTo(path)
		v.sees("Swan Lake")
		sum, posters, blocking := 0.0, 0, []string{}
		for _, r := range v.requests() {
			switch {
			case r.kind == network.ResourceTypeImage && strings.Contains(r.url, "/posters/"):
				posters++
			case !strings.HasPrefix(r.url, d.url):
				t.Errorf("%s asks elsewhere: %s", path, r.url)
			default:
				sum += r.bytes
			}
			if r.blocking == network.RenderBlockingBehaviorBlocking {
				blocking = append(blocking, r.url)
			}
		}
		t.Logf("%s: %.0f bytes without %d posters", path, sum, posters)
		if sum < 10_000 || sum > 100_000 || posters == 0 {
			t.Errorf("%s: %.0f bytes without %d posters; want 100 KB at most", path, sum, posters)
		}
		if len(blocking) != 1 || !strings.HasSuffix(blocking[0], ".css") {
			t.Errorf("%s: what keeps it from being shown: %v", path, blocking)
		}
	}
}
