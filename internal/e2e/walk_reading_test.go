package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

const (
	list     = "GET /api/v1/shows"
	detail   = "GET /api/v1/shows/{id}"
	newsCall = "GET /api/v1/stock/stream"
)

func (w *walk) reading(t *testing.T) {
	nobody, now := w.api.as(t, 0), time.Now()
	open := w.Show(t, 5, 2)
	early := w.ShowAt(t, 5, 2, now.Add(time.Hour), now.Add(2*time.Hour), now.Add(3*time.Hour))
	closed := w.ShowAt(t, 5, 2, now.Add(-2*time.Hour), now.Add(-time.Hour), now.Add(time.Hour))
	over := w.ShowAt(t, 5, 2, now.Add(-3*time.Hour), now.Add(-2*time.Hour), now.Add(-time.Hour))
	another := w.Show(t, 5, 0)
	servertest.Eventually(t, 10*time.Second, "a search finds all of them", func() bool {
		ids := fmt.Sprintln(field(nobody.must(t, "GET", "/api/v1/shows?limit=100&q=test", "").Body, "shows"))
		return !slices.ContainsFunc([]int64{open, early, closed, over, another}, func(id int64) bool { return !strings.Contains(ids, fmt.Sprint(" id:", id, " ")) })
	})
	page := w.ask(t,
		line{"on sale", nobody, detail, open, "", "", "200", "capacity=5 left=5 limit_per_user=2 state=on_sale time_zone=Asia/Seoul server_time"},
		line{"not yet", nobody, detail, early, "", "", "200", "state=upcoming"},
		line{"not any more", nobody, detail, closed, "", "", "200", "state=closed"},
		line{"it was", nobody, detail, over, "", "", "200", "state=ended"},
		line{"none", nobody, detail, 987654, "", "", "404 not_found", ""},
		line{"a search", nobody, list + "?q=hall+TEST", "", "", "", "200", "shows.0.title=Test shows.0.venue=Hall shows.0.state=on_sale"},
		line{"of a state", nobody, list + "?state=ended", "", "", "", "200", "shows.0.state=ended"},
		line{"%_\\", nobody, list + "?q=%25_%5C", "", "", "", "200", "shows"},
		line{"emoji", nobody, list + "?q=%F0%9F%A6%A2", "", "", "", "200", "shows"},
		line{"half of a %", nobody, list + "?q=%_%5C", "", "", "", "400 malformed", "errors=q"},
		line{"twice", nobody, list + "?limit=1&limit=9", "", "", "", "400 malformed", "errors=limit"},
		line{"10,000 words", nobody, list + "?q=" + strings.Repeat("word+", 10_000), "", "", "", "422 invalid", "errors=q"},
		line{"no such state, no limit", nobody, list + "?state=open&limit=0", "", "", "", "422 invalid", "errors=state errors=limit"},
		line{"a page", nobody, list + "?limit=1", "", "", "", "200", "shows.0.state=on_sale next_cursor"},
	)
	wantFields(t, "a page", page.Body, "next_cursor shows")
	wantFields(t, "a show", field(page.Body, "shows.0"), showFields)
	next := fmt.Sprint(page.Body["next_cursor"])
	second := w.ask(t,
		line{"a cursor made up", nobody, list + "?cursor=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx", "", "", "", "422 invalid", "errors=cursor"},
		line{"a cursor of another list", nobody, list + "?state=sold_out&cursor=" + next, "", "", "", "422 invalid", "errors=cursor"},
		line{"the next page", nobody, list + "?limit=1&cursor=" + next, "", "", "", "200", "shows.0.state=on_sale"},
	)
	if first := field(page.Body, "shows.0.id"); field(second.Body, "shows.0.id") == first {
		t.Errorf("show %v is on both pages", first)
	}

	w.stream(t, open, another).until(another, 5, "on_sale")
	w.note(newsCall, "200")
	w.ask(t,
		line{"of nothing", nobody, newsCall, "", "", "", "422 invalid", "errors=shows"},
		line{"of no number", nobody, newsCall + "?shows=1,x", "", "", "", "422 invalid", "errors=shows"},
		line{"of 51", nobody, newsCall + "?shows=1" + strings.Repeat(",1", 50), "", "", "", "422 invalid", "errors=shows"},
		line{"twice", nobody, newsCall + "?shows=1&shows=2", "", "", "", "400 malformed", "errors=shows"},
		line{"of none that there is", nobody, fmt.Sprint(newsCall, "?shows=", open, ",987654"), "", "", "", "404 not_found", ""},
	)
}

func (w *walk) document(t *testing.T) {
	for call, contentType := range map[string]string{"GET /api/openapi.yaml": "application/yaml", "GET /docs": "text/html; charset=UTF-8"} {
		response, err := http.Get(w.api.url + path(call, ""))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body) // sent compressed, so its length is not told
		response.Body.Close()
		if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Type") != contentType || len(body) < 10_000 {
			t.Errorf("%s: %d, %d bytes, %v, %v", call, response.StatusCode, len(body), response.Header, err)
		}
		w.note(call, "200")
	}
}
