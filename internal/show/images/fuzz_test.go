package images

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"testing"
)

// FuzzUpload tries what check lets through on the decoders themselves, so that a panic is found and not taken for a bad upload.
func FuzzUpload(f *testing.F) {
	small := aPicture(9, 7)
	photo := asJPEG(f, small)
	for _, seed := range [][]byte{
		photo, asPNG(f, small), asWebP(9, 7), asGIF(f, 60_000, 60_000), withExif(photo, binary.BigEndian, 6), withExif(photo, binary.LittleEndian, 8),
		withChunk(asPNG(f, small), "acTL", "\x00\x00\x00\x02\x00\x00\x00\x00"), asPNG(f, image.NewGray16(small.Bounds())), progressive(9, 7, 3),
		riff([]byte("VP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x06\x00\x00"), asWebP(9, 7)[12:]),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, upload []byte) {
		format, err := check(upload)
		if err != nil {
			return
		}
		if o := orientationOf(upload); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		head, err := format.config(bytes.NewReader(upload))
		if err != nil || head.Width*head.Height > maxPixels {
			t.Fatalf("let through %d x %d, %v", head.Width, head.Height, err)
		}
		if head.Width*head.Height > 1_000_000 {
			return // it would only take time
		}
		m, err := format.decode(bytes.NewReader(upload))
		if err != nil {
			return
		}
		if got := m.Bounds().Size(); got != image.Pt(head.Width, head.Height) {
			t.Fatalf("its head says %d x %d, it is %v", head.Width, head.Height, got)
		}
		d, err := redraw(upload, format)
		if err != nil {
			t.Fatal(err)
		}
		for width, file := range d.files {
			if got, err := jpeg.DecodeConfig(bytes.NewReader(file)); err != nil || got.Width > width || got.Width < 1 || got.Height < 1 {
				t.Fatalf("stored %d x %d for %d, %v", got.Width, got.Height, width, err)
			}
		}
	})
}
