package e2e

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	scale "golang.org/x/image/draw"
)

// tallest is how much of a page is drawn.
const tallest = 3000

// album is where the pictures of pages are kept, for people to look at: $NETICKET_PAGES_DIR, or var/pages.
func album(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("NETICKET_PAGES_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "var", "pages")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	return dir
}

// picture draws the page as it is, from its top to its end.
func (v *visitor) picture() []byte {
	v.t.Helper()
	var drawn []byte
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
		drawn = shot.Data
		return err
	})
	return drawn
}

// sheet lays pictures out in rows, at half their size, on one that is looked at in a moment.
func sheet(t *testing.T, file string, rows ...[][]byte) {
	t.Helper()
	const gap = 12
	at, wide := image.Pt(gap, gap), 0
	var pictures []image.Image
	var places []image.Rectangle
	for _, row := range rows {
		at.X = gap
		high := 0
		for _, data := range row {
			picture, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Error(err)
				return
			}
			half := picture.Bounds().Size().Div(2)
			pictures, places = append(pictures, picture), append(places, image.Rectangle{at, at.Add(half)})
			at.X += half.X + gap
			high = max(high, half.Y)
		}
		wide = max(wide, at.X)
		at.Y += high + gap
	}
	all := image.NewRGBA(image.Rect(0, 0, wide, at.Y))
	scale.Draw(all, all.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, scale.Src)
	for i, picture := range pictures {
		scale.ApproxBiLinear.Scale(all, places[i], picture, picture.Bounds(), scale.Src, nil)
	}
	var data bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&data, all); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(file, data.Bytes(), 0o600); err != nil {
		t.Error(err)
	}
}
