package page

import (
	"image/color"
	"regexp"
	"strconv"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// What is drawn is the code, module by module, with its margin.
func TestQR(t *testing.T) {
	t.Parallel()
	const number = "7ZK4-19QX-M0T5"
	drawn, err := drawQR(number)
	if err != nil {
		t.Fatal(err)
	}
	if drawn.Size != 21+2*4 {
		t.Errorf("a side of %d modules", drawn.Size)
	}
	dark := map[[2]int]bool{}
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`).FindAllStringSubmatch(drawn.Path, -1) {
		x, _ := strconv.Atoi(run[1])
		y, _ := strconv.Atoi(run[2])
		n, _ := strconv.Atoi(run[3])
		for i := range n {
			dark[[2]int{x + i, y}] = true
		}
	}
	code, err := qr.Encode(number, qr.Q, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	for y := range drawn.Size {
		for x := range drawn.Size {
			inside := x >= 4 && y >= 4 && x < 25 && y < 25
			if want := inside && code.At(x-4, y-4) == color.Black; dark[[2]int{x, y}] != want {
				t.Errorf("module %d, %d: dark %v, want %v", x, y, !want, want)
			}
		}
	}
	if len(dark) < 100 {
		t.Errorf("%d dark modules", len(dark))
	}
	if other, _ := drawQR("7ZK4-19QX-M0T6"); other.Path == drawn.Path {
		t.Error("another number has the same code")
	}
}
