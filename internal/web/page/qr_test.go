package page

import (
	"regexp"
	"strconv"
	"testing"
)

const qrSide = 21

// What is drawn reads back as the number, with a light margin and check bytes that add up. This reads as a reader does, by the standard and
// without the encoder's code: which mask was used stands in the code itself.
func TestQR(t *testing.T) {
	t.Parallel()
	plan, err := planQR()
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for _, number := range []string{"7ZK4-19QX-M0T5", "7ZK4-19QX-M0T6", "0000-0000-0000", "ZZZZ-ZZZZ-ZZZZ"} {
		drawn, err := drawQR(plan, number)
		if err != nil {
			t.Fatal(err)
		}
		if drawn.Size != qrSide+2*4 {
			t.Errorf("a side of %d modules", drawn.Size)
		}
		if got := readQR(t, drawn.Path); got != number {
			t.Errorf("%s reads as %q", number, got)
		}
		paths[drawn.Path] = true
	}
	if len(paths) != 4 {
		t.Error("two numbers have the same code")
	}
	for _, bad := range []string{"7ZK4-19QX-M0T5-111", "lower case"} {
		if _, err := drawQR(plan, bad); err == nil {
			t.Errorf("%q is drawn", bad)
		}
	}
}

// readQR reads a code of version 1 that is drawn as a path.
func readQR(t *testing.T, path string) string {
	t.Helper()
	var dark [qrSide][qrSide]bool // by row and column
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`).FindAllStringSubmatch(path, -1) {
		x, _ := strconv.Atoi(run[1])
		y, _ := strconv.Atoi(run[2])
		n, _ := strconv.Atoi(run[3])
		for i := range n {
			if x+i < 4 || y < 4 || x+i >= 4+qrSide || y >= 4+qrSide {
				t.Fatalf("module %d, %d of the margin is dark", x+i, y)
			}
			dark[y-4][x-4+i] = true
		}
	}
	// The format: level and mask in the first five of the bits along the upper left corner, masked with 10101.
	format := 0
	for x := range 5 {
		format = format<<1 | bit(dark[8][x])
	}
	format ^= 0b10101
	if format>>3 != 0b11 {
		t.Fatalf("the level is %02b, not Q", format>>3)
	}
	words := codewords(dark, format&7)
	for power := range 13 { // the check bytes of level Q make the message divisible by (x - 2^i), so each sum is 0
		sum := 0
		for _, word := range words {
			sum = times(sum, exp(power)) ^ int(word)
		}
		if sum != 0 {
			t.Fatalf("the check bytes do not add up: % x", words)
		}
	}
	return alphanumeric(t, words[:13])
}

// codewords walks the code as it was written: in columns of two from the right, up and down in turn, around what is no data.
func codewords(dark [qrSide][qrSide]bool, mask int) []byte {
	var bits []int
	for right, up := qrSide-1, true; right > 0; right, up = right-2, !up {
		if right == 6 { // the column of the timing pattern is left out
			right--
		}
		for i := range qrSide {
			y := i
			if up {
				y = qrSide - 1 - i
			}
			for _, x := range []int{right, right - 1} {
				finder := x < 9 && y < 9 || x < 9 && y >= qrSide-8 || x >= qrSide-8 && y < 9
				if finder || y == 6 {
					continue
				}
				bits = append(bits, bit(dark[y][x] != masked(mask, y, x)))
			}
		}
	}
	words := make([]byte, len(bits)/8)
	for i, b := range bits[:len(words)*8] {
		words[i/8] = words[i/8]<<1 | byte(b)
	}
	return words
}

func masked(mask, y, x int) bool {
	return [8]bool{
		(y+x)%2 == 0, y%2 == 0, x%3 == 0, (y+x)%3 == 0, (y/2+x/3)%2 == 0, y*x%2+y*x%3 == 0, (y*x%2+y*x%3)%2 == 0, ((y+x)%2+y*x%3)%2 == 0,
	}[mask]
}

func alphanumeric(t *testing.T, words []byte) (text string) {
	t.Helper()
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	at := 0
	next := func(n int) (v int) {
		for range n {
			v = v<<1 | int(words[at/8]>>(7-at%8)&1)
			at++
		}
		return v
	}
	if mode := next(4); mode != 0b0010 {
		t.Fatalf("mode %04b", mode)
	}
	for left := next(9); left > 0; left -= 2 {
		if left == 1 {
			return text + letters[next(6):][:1]
		}
		pair := next(11)
		text += letters[pair/45:][:1] + letters[pair%45:][:1]
	}
	return text
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// times multiplies in the field of 256 elements that QR codes use; exp is a power of 2 in it.
func times(a, b int) (product int) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a <<= 1; a > 255 {
			a ^= 0x11d
		}
	}
	return product
}

func exp(power int) int {
	v := 1
	for range power {
		v = times(v, 2)
	}
	return v
}
