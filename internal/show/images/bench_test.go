package images

import (
	"image"
	"math/rand/v2"
	"testing"
)

// BenchmarkRedraw tells what the largest uploads of each kind cost: time, and memory in B/op.
func BenchmarkRedraw(b *testing.B) {
	const width, height = 5000, 4000
	size := image.Rect(0, 0, width, height)
	photo, deep := image.NewRGBA(size), image.NewNRGBA64(size)
	for y := range height {
		for x := range width {
			shade := uint8((x + y) / 40)
			noise := uint8(rand.N(8))
			at := photo.PixOffset(x, y)
			copy(photo.Pix[at:], []byte{shade + noise, shade / 2, 255 - shade, 255})
			copy(deep.Pix[deep.PixOffset(x, y):], []byte{shade, noise, 0, 0, 255 - shade, 0, 200, 0})
		}
	}
	for name, upload := range map[string][]byte{
		"JPEG": asJPEG(b, photo), "PNG": asPNG(b, photo), "PNG of 16 bits": asPNG(b, deep), "WebP": asWebP(width, height),
		"progressive JPEG": progressive(width, height, 10), "progressive JPEG of most scans": progressive(width, height, maxScans),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := check(upload)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := redraw(upload, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
