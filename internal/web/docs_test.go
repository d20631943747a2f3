package web

import (
	"regexp"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/web/apidoc"
)

func TestDocs(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	page := f.do("GET", "/docs", "")
	if page.Code != 200 || page.Header().Get("Content-Type") != "text/html; charset=UTF-8" || !strings.Contains(page.Body.String(), "Book units of a show") {
		t.Fatalf("%d %v", page.Code, page.Header())
	}
	policy := page.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q has no %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %q allows scripts, or what stands in the page", policy)
	}

	stylesheet := regexp.MustCompile(`href="(/assets/docs-[0-9a-f]{16}\.css)"`).FindStringSubmatch(page.Body.String())
	if stylesheet == nil {
		t.Fatal("the page has no stylesheet")
	}
	css := f.do("GET", stylesheet[1], "")
	if css.Code != 200 || css.Header().Get("Content-Type") != "text/css; charset=utf-8" || css.Body.Len() == 0 ||
		css.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("%d %v", css.Code, css.Header())
	}
	if strings.Contains(css.Body.String(), "url(") || strings.Contains(css.Body.String(), "@import") {
		t.Error("the stylesheet loads something")
	}
	for _, path := range []string{"/assets/docs.css", "/assets/docs-0000000000000000.css", "/assets/", "/docs/", "/docs/x"} {
		wantProblem(t, f.do("GET", path, ""), 404, "not_found")
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	w := f.do("GET", "/api/openapi.yaml", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/yaml" || w.Body.String() != string(apidoc.YAML()) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// Who has what is there already does not get it again; a new program has new tags.
func TestFilesAreRevalidated(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	stylesheet, err := f.site.Files.URL("docs.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/docs", "/api/openapi.yaml", stylesheet} {
		w := f.do("HEAD", path, "")
		tag := w.Header().Get("ETag")
		if w.Code != 200 || w.Body.Len() > 0 || len(tag) < 10 {
			t.Errorf("%s: %d, tag %q, %d bytes", path, w.Code, tag, w.Body.Len())
		}
		if path != stylesheet && w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s is kept: %q", path, w.Header().Get("Cache-Control"))
		}
		for given, want := range map[string]int{tag: 304, `"x"`: 200} {
			if got := f.do("GET", path, "", "If-None-Match: "+given); got.Code != want || (got.Body.Len() == 0) != (want == 304) {
				t.Errorf("%s with tag %s: %d", path, given, got.Code)
			}
		}
	}
}
