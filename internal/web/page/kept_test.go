package page

import (
	"bytes"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

var sold = Show{
	ID: 7, Title: "Swan Lake", Venue: "Seoul Arts Center", Description: "Two acts.", Price: 50_000, Image: "/images/abc-800.jpg", Alt: "A swan",
	Zone: "Asia/Seoul", Starts: time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC), Opens: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
	Closes: time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC), Capacity: 100, Left: 50, Limit: 4, State: "on_sale",
}

func written(t testing.TB, s *Site, name string, v View) string {
	t.Helper()
	var out bytes.Buffer
	v.URL = &url.URL{Path: "/"}
	if err := s.Write(&out, name, v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A page never shows an old part: whichever field of a show or a form changes, a site that has kept the page before writes what one does
// that has kept nothing.
func TestKeptPartsAreNeverOld(t *testing.T) {
	t.Parallel()
	detail := Detail{Show: sold, Key: "K1", Units: "1", Most: 4}
	pages := func(s *Site, d Detail) (all string) {
		for _, lang := range Langs() {
			all += written(t, s, "show", View{Lang: lang, Content: d})
			all += written(t, s, "home", View{Lang: lang, Content: Home{Shows: []Show{d.Show}, Soon: []Show{d.Show}}})
			all += written(t, s, "search", View{Lang: lang, Content: Search{Words: "swan", Shows: []Show{d.Show}}})
		}
		return all
	}
	warm := New()
	before := pages(warm, detail)
	try := func(name string, changed Detail) {
		got := pages(warm, changed)
		if want := pages(New(), changed); got != want {
			t.Errorf("%s: the page is an old one", name)
		}
		if name != "Capacity" && name != "Limit" && got == before { // which these pages tell in words that may be the same
			t.Errorf("%s: no page shows it", name)
		}
		if again := pages(warm, detail); again != before {
			t.Errorf("%s: as it was before, the page is another", name)
		}
	}
	for i := range reflect.TypeFor[Show]().NumField() {
		changed := detail
		change(t, reflect.ValueOf(&changed.Show).Elem().Field(i))
		try(reflect.TypeFor[Show]().Field(i).Name, changed)
	}
	for i := range reflect.TypeFor[Detail]().NumField() {
		if name := reflect.TypeFor[Detail]().Field(i).Name; name != "Show" {
			changed := detail
			change(t, reflect.ValueOf(&changed).Elem().Field(i))
			if name == "TooMany" {
				changed.Faults = []string{"too many"}
			}
			try(name, changed)
		}
	}
}

// change gives a field another value.
func change(t *testing.T, field reflect.Value) {
	t.Helper()
	switch value := field.Interface().(type) {
	case int, int64:
		field.SetInt(field.Int() + 1)
	case bool:
		field.SetBool(!value)
	case time.Time:
		field.Set(reflect.ValueOf(value.Add(26 * time.Hour)))
	case []string:
		field.Set(reflect.ValueOf([]string{"a fault"}))
	case string:
		switch value {
		case "on_sale":
			field.SetString("sold_out")
		case "Asia/Seoul":
			field.SetString("Europe/Paris")
		default:
			field.SetString(value + "2")
		}
	default:
		t.Fatalf("a field of type %T is not tried", value)
	}
}

// What is a visitor's own is in his page alone, and markup in it stays text.
func TestVisitorsShareNothingOfTheirOwn(t *testing.T) {
	t.Parallel()
	site := New()
	for i := range 3 {
		v := View{Lang: English, Back: fmt.Sprintf("/shows/7?a=%d&b=\"", i), Content: Detail{Show: sold, Key: fmt.Sprintf("<key>\"%d", i), Units: "1", Most: 4}}
		if i == 2 {
			v.Me = &Me{}
		}
		page := written(t, site, "show", v)
		if want := fmt.Sprintf(`name="key" value="&lt;key&gt;&#34;%d"`, i); !strings.Contains(page, want) || strings.Count(page, "&lt;key&gt;") != 1 {
			t.Errorf("visitor %d: %s is not in\n%s", i, want, page)
		}
		if want := fmt.Sprintf(`href="/login?next=%%2Fshows%%2F7%%3Fa%%3D%d%%26b%%3D%%22"`, i); strings.Contains(page, want) == (v.Me != nil) {
			t.Errorf("visitor %d: %s in the page: %v", i, want, v.Me != nil)
		}
		if strings.Contains(page, string(site.marker)) {
			t.Error("a slot was not filled")
		}
	}
}

// BenchmarkShow is a show's page, of a site that has kept it and of one that has not:
//
//	go test ./internal/web/page -run '^$' -bench . -benchmem
func BenchmarkShow(b *testing.B) {
	site := New()
	var out bytes.Buffer
	for name, left := range map[string]int{"kept": 0, "made": 1} {
		b.Run(name, func(b *testing.B) {
			v := View{Lang: Korean, URL: &url.URL{Path: "/shows/7"}, Back: "/shows/7"}
			d := Detail{Show: sold, Key: "K1", Units: "1", Most: 4}
			b.ReportAllocs()
			for b.Loop() {
				d.Show.Left += left
				v.Content = d
				out.Reset()
				if err := site.Write(&out, "show", v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
