package images

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"golang.org/x/image/draw"
)

const quality = 85 // of the JPEGs, 1 to 100

// drawing is an image as it is stored.
type drawing struct {
	name  string // of its content
	files map[int][]byte
}

// redraw makes all sizes of an upload that was checked. What is transparent becomes white. Colour profiles are dropped with the
// other metadata: the pixels count as sRGB, as browsers take them. It returns an *invalid.Error for what cannot be decoded.
func redraw(upload []byte, f format) (drawing, error) {
	whole, err := decode(upload, f)
	if err != nil {
		return drawing{}, err
	}
	turning := orientationOf(upload)
	// It is turned after it was made smaller: then that is fast.
	size := fit(whole.Bounds().Size(), Large, turning.swaps())
	m := turning.turn(scale(whole, size))
	return encode(m)
}

// decode is where the bytes of strangers meet large decoders: if one of them panics, the upload is to blame.
func decode(upload []byte, f format) (m image.Image, err error) {
	defer func() {
		if value := recover(); value != nil {
			m, err = nil, fmt.Errorf("%w: the decoder panics: %v", errUnreadable, value)
		}
	}()
	if m, err = f.decode(bytes.NewReader(upload)); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return m, nil
}

// encode writes m, which is as wide as Large allows, in all sizes.
func encode(m *image.RGBA) (drawing, error) {
	d := drawing{files: map[int][]byte{}}
	hash, size := sha256.New(), m.Bounds().Size()
	for _, width := range []int{Large, Medium, Small} {
		m = scale(m, fit(size, width, false))
		var file bytes.Buffer
		if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: quality}); err != nil {
			return drawing{}, fmt.Errorf("encode image: %w", err)
		}
		d.files[width] = file.Bytes()
		hash.Write(file.Bytes())
	}
	d.name = hex.EncodeToString(hash.Sum(nil))[:nameDigits]
	return d, nil
}

// fit returns size made smaller, if need be, so that its width, or its height if that will be the width, is the one wanted.
func fit(size image.Point, width int, swap bool) image.Point {
	side := size.X
	if swap {
		side = size.Y
	}
	if side <= width {
		return size
	}
	by := float64(width) / float64(side)
	scaled := func(side int) int { return max(1, int(math.Round(float64(side)*by))) }
	return image.Pt(scaled(size.X), scaled(size.Y))
}

// scale paints m on white in a size that is not larger than its own. A bilinear scaler looks at four pixels for each that it
// makes, so it is right down to half of the size; what has to be smaller is halved first. Unlike with a wider kernel that needs no
// memory but for the result.
func scale(m image.Image, to image.Point) *image.RGBA {
	for {
		next := m.Bounds().Size().Div(2)
		if next.X <= to.X || next.Y <= to.Y {
			next = to
		}
		painted := image.NewRGBA(image.Rectangle{Max: next})
		draw.Draw(painted, painted.Bounds(), image.White, image.Point{}, draw.Src)
		draw.ApproxBiLinear.Scale(painted, painted.Bounds(), m, m.Bounds(), draw.Over, nil)
		if next == to {
			return painted
		}
		m = painted
	}
}
