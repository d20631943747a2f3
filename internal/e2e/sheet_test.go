package e2e

import (
	"context"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// tallest is how much of a page is drawn, in pixels.
const tallest = 3000

// album is where the pictures of pages are kept, for people to look at: $NETICKET_PAGES_DIR, or var/pages.
func album(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NETICKET_PAGES_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "var", "pages")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o750)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// picture draws the page as it is, from its top to its end, into a file.
func (v *visitor) picture(file string) {
	v.t.Helper()
	v.call("draw the page", func(ctx context.Context) error {
		layout, err := chromedp.Call(ctx, page.GetLayoutMetrics, struct{}{})
		if err != nil {
			return err
		}
		size := layout.CSSContentSize
		shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true), OptimizeForSpeed: new(true),
			Clip: &page.Viewport{Width: size.Width, Height: min(size.Height, tallest), Scale: 1},
		})
		if err != nil {
			return err
		}
		return os.WriteFile(file, shot.Data, 0o600)
	})
}

// sheet lays the tops of a page's pictures out on one, smaller, which is looked at in a moment.
func (v *visitor) sheet(dir, name string, files []string) {
	v.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, `<!doctype html><title>%s</title><body style="margin:12px;background:#888;display:flex;flex-wrap:wrap;gap:10px;align-items:start">`, html.EscapeString(name))
	for _, file := range files {
		fmt.Fprintf(&text, `<img src="%s" style="zoom:.5;max-height:1800px;object-fit:cover;object-position:top">`, html.EscapeString(filepath.Base(file)))
	}
	at := filepath.Join(dir, "sheet-"+name)
	if err := os.WriteFile(at+".html", []byte(text.String()), 0o600); err != nil {
		v.t.Fatal(err)
	}
	v.goTo("file://" + at + ".html")
	v.picture(at + ".png")
}
