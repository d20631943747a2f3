package page

import (
	"fmt"
	"strconv"

	"rsc.io/qr/coding"
)

const qrMargin = 4 // modules, as readers need

// qrMask is the pattern that every code is masked with. The standard (ISO/IEC 18004) has encoders try all eight and take the one with the
// fewest large areas and false finder patterns; the code says which one it was, so readers take any. To try them took most of the time of
// a booking's page. A booking's number is hashed, and its code is filled with it and its check bytes, so no mask suits such codes better
// than another: what the choice avoids comes of regular data, such as long padding.
const qrMask = 0

// QR is a code to be drawn as SVG: a dark path on a light square, in modules.
type QR struct {
	Size int // of the square, margin included
	Path string
}

func (q QR) viewBox() string { return "0 0 " + digits(q.Size) + " " + digits(q.Size) }

// planQR returns where the bits of a code go: of version 1, which has 21 modules a side and holds 16 digits, capitals and hyphens. A
// booking's number has 14. A quarter of the code may be dirty or bent (level Q).
func planQR() (*coding.Plan, error) { return coding.NewPlan(1, coding.Q, qrMask) }

// drawQR returns the code of a booking's number. It returns an error for what does not fit.
func drawQR(plan *coding.Plan, number string) (QR, error) {
	code, err := plan.Encode(coding.Alpha(number))
	if err != nil {
		return QR{}, fmt.Errorf("draw a QR code: %w", err)
	}
	path := make([]byte, 0, 2<<10)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for code.Black(x, y) { // nothing is, outside the code
				x++
			}
			if x > from {
				path = append(strconv.AppendInt(append(path, 'M'), int64(from+qrMargin), 10), ' ')
				path = append(strconv.AppendInt(path, int64(y+qrMargin), 10), 'h')
				path = append(strconv.AppendInt(path, int64(x-from), 10), "v1h-"...)
				path = append(strconv.AppendInt(path, int64(x-from), 10), 'z')
			}
		}
	}
	return QR{code.Size + 2*qrMargin, string(path)}, nil
}
