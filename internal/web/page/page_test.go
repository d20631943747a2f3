package page

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Both languages have the same texts with the same arguments, no text is forgotten, and none is left over.
func TestTexts(t *testing.T) {
	t.Parallel()
	argument := regexp.MustCompile(`\{[a-z]+\}`)
	ko, en := readTexts(Korean), readTexts(English)
	for key, text := range ko {
		other, ok := en[key]
		if !ok {
			t.Errorf("%s is not there in English", key)
		}
		want, got := argument.FindAllString(text, -1), argument.FindAllString(other, -1)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(want), slices.Compact(got)) {
			t.Errorf("%s: arguments %v in Korean, %v in English", key, want, got)
		}
	}
	for key := range en {
		if _, ok := ko[key]; !ok {
			t.Errorf("%s is not there in Korean", key)
		}
	}
}

// The files of texts are sorted, so that two changes seldom meet, and no key stands twice.
func TestTextsAreSorted(t *testing.T) {
	t.Parallel()
	for _, lang := range Langs() {
		data, err := textFiles.ReadFile("texts/" + string(lang) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for line := range strings.Lines(string(data)) {
			if key, _, ok := strings.Cut(strings.TrimSpace(line), `": `); ok {
				keys = append(keys, key[1:])
			}
		}
		if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Errorf("%s: the keys are not sorted, or one stands twice", lang)
		}
		if !json.Valid(data) {
			t.Errorf("%s is not JSON", lang)
		}
	}
}

// Each key that a template names is there.
func TestTemplatesNameTexts(t *testing.T) {
	t.Parallel()
	texts := readTexts(English)
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	named := regexp.MustCompile(`\bp\.(t|count)\("([a-z_.0-9]+[a-z0-9])"`) // what ends in a dot is the beginning of a key
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(data), -1) {
			keys := []string{match[2]}
			if match[1] == "count" {
				keys = []string{match[2] + ".one", match[2] + ".other"}
			}
			for _, key := range keys {
				if _, ok := texts[key]; !ok {
					t.Errorf("%s names text %q, which is not there", file, key)
				}
			}
		}
	}
}

// A page that lacks a text, or is given the content of another page, is an error and writes nothing.
func TestPageIsWholeOrNotWritten(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]any{
		"reservation": Reservation{Status: "no such status"},
		"home":        Search{},
		"no such":     Home{},
	} {
		var out bytes.Buffer
		err := New().Write(&out, name, View{Lang: English, URL: &url.URL{Path: "/"}, Content: content})
		if err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, wrote %q", name, err, out.String())
		}
	}
}

func TestHomeIsWritten(t *testing.T) {
	t.Parallel()
	site := New()
	at := time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC)
	for _, lang := range Langs() {
		var out bytes.Buffer
		err := site.Write(&out, "home", View{Lang: lang, URL: &url.URL{Path: "/"}, Now: at, Content: Home{
			Shows: []Show{{ID: 1, Title: `<b>"Swan" & 백조</b>`, Zone: "Asia/Seoul", Starts: at, Opens: at, Closes: at, Left: 1240, State: "on_sale"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`lang="` + string(lang) + `"`, "1,240", `<span class="whole">&lt;b</span>&gt;`, "/assets/site-", PosterURL(1, `<b>"Swan" & 백조</b>`)} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %s is not in the page", lang, want)
			}
		}
	}
}

func TestPosterIsSafe(t *testing.T) {
	t.Parallel()
	for _, title := range []string{`<script>alert(1)</script>`, strings.Repeat("가", 80), strings.Repeat("W", 80), "", "&", "a\u0301 b", "a\ufffeb\uffff"} {
		svg := string(Poster(title))
		if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
			t.Errorf("poster of %q: %v", title, err)
		}
		if strings.Contains(svg, "<script") || strings.Count(svg, "<text") > posterRows || !strings.HasSuffix(svg, "</svg>") {
			t.Errorf("poster of %q: %s", title, svg)
		}
		if svg != string(Poster(title)) {
			t.Errorf("poster of %q changes", title)
		}
	}
	if PosterURL(1, "a") == PosterURL(1, "b") {
		t.Error("another title has the same address")
	}
}
