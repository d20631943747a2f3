package apidoctest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/web/apidoc"
)

const (
	problem  = `{"type":"/problems/not_found","title":"Not found","status":404,"detail":"There is nothing here.","code":"not_found","request_id":"r"}`
	resynced = `{"before":1,"after":2,"drift":-1,"epoch":3,"dry_run":true}`
	pending  = `{"id":"0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1","number":"YV6G-MJTF-7C51","show":{"id":1,"title":"백조의 호수","venue":"예술의전당",` +
		`"starts_at":"2026-05-20T10:30:00Z","image_url":null},"units":2,"price_total":240000,"status":"pending","reason":null,` +
		`"booked_at":"2026-05-01T11:00:07.412Z","confirmed_at":null,"cancelled_at":null,"cancellable":false}`
)

// exchange is one whose request has the headers that it should, a login and JSON. answerHeaders are "Name: value".
func exchange(method, target, sent string, status int, body string, answerHeaders ...string) Exchange {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Authorization", "Bearer x")
	if sent != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	h := http.Header{"X-Request-Id": {"r"}, "Content-Type": {"application/json"}}
	if status >= 400 {
		h.Set("Content-Type", "application/problem+json")
	}
	for _, header := range answerHeaders {
		name, value, _ := strings.Cut(header, ": ")
		h.Set(name, value)
	}
	return Exchange{r, []byte(sent), status, h, []byte(body)}
}

func newChecker(t *testing.T) *Checker {
	t.Helper()
	c, err := New(apidoc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever is not documented is found.
func TestCheck(t *testing.T) {
	t.Parallel()
	const resync, book = "/api/v1/admin/shows/1/stock/resync", "/api/v1/shows/1/reservations"
	location, key := "Location: /api/v1/reservations/0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1", "Idempotency-Key: k"
	nobody := exchange("GET", "/api/v1/reservations", "", 200, `{"reservations":[],"next_cursor":null}`)
	nobody.Request.Header.Del("Authorization")
	text := exchange("POST", book, `{"units":2}`, 202, pending, location, key)
	text.Request.Header.Set("Content-Type", "text/plain")
	with := func(e Exchange, name, value string) Exchange {
		e.Request.Header.Set(name, value)
		return e
	}
	c := newChecker(t)
	for name, test := range map[string]struct {
		exchange Exchange
		want     string // in the fault, "": there is none
	}{
		"an answer":                 {exchange("POST", resync, "", 200, resynced), ""},
		"a problem":                 {exchange("POST", resync, "", 404, problem), ""},
		"HEAD":                      {exchange("HEAD", "/api/v1/admin/stock", "", 200, ""), ""},
		"a booking":                 {exchange("POST", book, `{"units":2}`, 202, pending, location, key), ""},
		"an empty parameter":        {exchange("GET", "/api/v1/shows?limit=&state=", "", 200, `{"shows":[],"next_cursor":null}`), ""},
		"wrong, and refused":        {exchange("POST", resync+"?dry_run=maybe", "", 404, problem), ""},
		"an unknown call":           {exchange("GET", "/api/v1/nowhere", "", 404, problem), ""},
		"an unknown method":         {exchange("DELETE", resync, "", 404, problem), ""},
		"a field too many":          {exchange("POST", resync, "", 200, strings.Replace(resynced, `{`, `{"seat":1,`, 1)), "'seat' not allowed"},
		"deep in it":                {exchange("POST", book, `{"units":2}`, 202, strings.Replace(pending, `"show":{`, `"show":{"seat":1,`, 1), location, key), "'seat' not allowed"},
		"a field too few":           {exchange("POST", resync, "", 200, strings.Replace(resynced, `"before":1,`, ``, 1)), "missing property 'before'"},
		"null":                      {exchange("POST", resync, "", 200, strings.Replace(resynced, `1`, `null`, 1)), "want integer"},
		"a time that is none":       {exchange("POST", book, `{"units":2}`, 202, strings.Replace(pending, `T11:00`, ` 11:00`, 1), location, key), "date-time"},
		"no JSON":                   {exchange("POST", resync, "", 200, `<html>`), "not JSON"},
		"another type":              {exchange("POST", resync, "", 200, resynced, "Content-Type: text/html"), "content type"},
		"a body too many":           {exchange("POST", "/api/v1/logout", "", 204, `{}`, "Set-Cookie: a=b"), "no body"},
		"a status":                  {exchange("POST", resync, "", 202, resynced), "no such status"},
		"a code of others":          {exchange("POST", resync, "", 404, strings.ReplaceAll(problem, "not_found", "sold_out")), "'not_found'"},
		"a code of nobody":          {exchange("GET", "/api/v1/nowhere", "", 404, strings.ReplaceAll(problem, "not_found", "gone")), "value must be one of"},
		"figures of another code":   {exchange("POST", resync, "", 404, strings.Replace(problem, `{`, `{"left":1,`, 1)), "'sold_out'"},
		"a call":                    {exchange("GET", "/api/v1/nowhere", "", 200, `{}`), "no such call"},
		"a method":                  {exchange("PUT", resync, "", 200, resynced), "no such call"},
		"HEAD where there is none":  {exchange("HEAD", "/api/v1/stock/stream?shows=1", "", 200, ""), "no such call"},
		"a header too few":          {exchange("POST", book, `{"units":2}`, 202, pending, key), "Location is not there"},
		"a header too many":         {exchange("POST", resync, "", 200, resynced, location), "Location is not in the document"},
		"a header of another kind":  {exchange("POST", resync, "", 503, strings.ReplaceAll(problem, "not_found", "unavailable"), "Retry-After: soon"), "Retry-After"},
		"a parameter":               {exchange("POST", resync+"?dry_run=maybe", "", 200, resynced), "dry_run"},
		"a parameter out of range":  {exchange("GET", "/api/v1/shows?limit=101", "", 200, `{"shows":[],"next_cursor":null}`), "limit"},
		"a list of them":            {exchange("GET", "/api/v1/stock/stream?shows=1,x", "", 200, "", "Content-Type: text/event-stream"), "shows"},
		"a parameter that it needs": {exchange("GET", "/api/v1/stock/stream", "", 200, "", "Content-Type: text/event-stream"), "shows is not given"},
		"an id":                     {exchange("POST", strings.Replace(resync, "1/stock", "x/stock", 1), "", 200, resynced), "id"},
		"a request's field":         {exchange("POST", book, `{"units":2,"seat":1}`, 202, pending, location, key), "'seat' not allowed"},
		"a request's type":          {text, "content type"},
		"a request's header":        {with(exchange("POST", book, `{"units":2}`, 202, pending, location, key), "Idempotency-Key", strings.Repeat("k", 256)), "Idempotency-Key"},
		"nobody":                    {nobody, "no login"},
	} {
		err := c.Check(test.exchange)
		if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// Of many that are alike some are looked at; another code makes another kind.
func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	bad := exchange("POST", "/api/v1/admin/shows/1/stock/resync", "", 404, strings.Replace(problem, `{`, `{"seat":1,`, 1))
	for i := range 3 * looks {
		if err := c.Check(bad); (err != nil) != (i < looks) {
			t.Fatalf("exchange %d: %v", i, err)
		}
	}
	bad.Body = []byte(strings.ReplaceAll(string(bad.Body), "not_found", "invalid"))
	if c.Check(bad) == nil {
		t.Error("another code was not looked at")
	}
}

// The document is held against the specification, too.
func TestNotOpenAPI(t *testing.T) {
	t.Parallel()
	for replaced, by := range map[string]string{
		"openapi: 3.1.1":              "openapi: 2.0",
		"operationId: me":             "operationID: me",
		"in: header":                  "in: head",
		"{type: string, minLength: 1": "{type: text, minLength: 1",
		"/schemas/Resynced'":          "/schemas/Nothing'",
		"paths:":                      "paths: [",
	} {
		if _, err := New([]byte(strings.ReplaceAll(string(apidoc.YAML()), replaced, by))); err == nil {
			t.Errorf("a document with %q", by)
		}
	}
}

// What TestNothingIsLoose and TestExamples of the document look for is found.
func TestFaultsOfADocument(t *testing.T) {
	t.Parallel()
	broken := strings.NewReplacer("      description: What a resync did, or would do.\n      additionalProperties: false", "      description: none",
		"example: {before: 735", "example: {before: true").Replace(string(apidoc.YAML()))
	c, err := New([]byte(broken))
	if err != nil {
		t.Fatal(err)
	}
	if loose := c.Loose(); len(loose) != 1 || !strings.Contains(loose[0], "Resynced") {
		t.Errorf("loose: %v", loose)
	}
	if _, err := c.Examples(); err == nil || !strings.Contains(err.Error(), "want integer") {
		t.Errorf("examples: %v", err)
	}
}
