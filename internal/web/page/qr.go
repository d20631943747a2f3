package page

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

const qrMargin = 4 // modules, as readers need

// QR is a code to be drawn as SVG: a dark path on a light square, in modules.
type QR struct {
	Size int // of the square, margin included
	Path string
}

func (q QR) viewBox() string { return "0 0 " + digits(q.Size) + " " + digits(q.Size) }

// drawQR returns the code of a text. A quarter of it may be dirty or bent.
func drawQR(text string) (QR, error) {
	code, err := qr.Encode(text, qr.Q, qr.Auto)
	if err != nil {
		return QR{}, fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	dark := func(x, y int) bool { return x < side && code.At(x, y) == color.Black }
	var path strings.Builder
	for y := range side {
		for x := 0; x < side; x++ {
			from := x
			for dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+qrMargin, y+qrMargin, x-from, x-from)
			}
		}
	}
	return QR{side + 2*qrMargin, path.String()}, nil
}
