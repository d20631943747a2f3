package page

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"html"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The size of a poster, in units of its own.
const (
	posterWidth  = 600
	posterHeight = 800
	posterMargin = 48
	posterRows   = 6 // most lines of a title
)

// PostersPath is below which generated posters are.
const PostersPath = "/posters/"

// PosterURL returns the address of the poster that is drawn for a show without an image. It changes with the title, so the answer
// may be kept for ever.
func PosterURL(id int64, title string) string {
	return PostersPath + strconv.FormatInt(id, 10) + "-" + posterHash(title) + ".svg"
}

func posterHash(title string) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(title)) // it never fails
	return hex.EncodeToString(sum.Sum(nil))
}

// Poster draws a show's title: two colours and a figure that its hash chooses, and the title as large as it fits. The same title
// is the same poster.
func Poster(title string) []byte {
	title = strings.Map(func(r rune) rune { // XML knows no such characters, and a browser would draw none of it
		if r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, title)
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(title))
	seed := sum.Sum64()
	hue := int(seed % 360)
	other := (hue + 40 + int(seed>>9%80)) % 360

	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`,
		posterWidth, posterHeight, html.EscapeString(title))
	fmt.Fprintf(&svg, `<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="hsl(%d,58%%,30%%)"/>`+
		`<stop offset="1" stop-color="hsl(%d,62%%,18%%)"/></linearGradient></defs>`, hue, other)
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="url(#g)"/>`, posterWidth, posterHeight)
	drawFigure(&svg, seed, other)

	size, lines := fit(norm.NFC.String(title))
	fmt.Fprintf(&svg, `<g fill="#fff" font-family="Pretendard,'Apple SD Gothic Neo','Noto Sans KR','Noto Sans CJK KR','Malgun Gothic',sans-serif" font-weight="700" font-size="%d">`, size)
	top := posterHeight - posterMargin - (len(lines)-1)*size*5/4
	for i, line := range lines {
		fmt.Fprintf(&svg, `<text x="%d" y="%d">%s</text>`, posterMargin, top+i*size*5/4, html.EscapeString(line))
	}
	svg.WriteString(`</g></svg>`)
	return []byte(svg.String())
}

// drawFigure draws one of four calm figures into the upper part.
func drawFigure(svg *strings.Builder, seed uint64, hue int) {
	fmt.Fprintf(svg, `<g fill="none" stroke="hsl(%d,80%%,82%%)" stroke-opacity=".5" stroke-width="3">`, (hue+180)%360)
	x, y := 160+int(seed>>17%280), 140+int(seed>>27%160)
	for i := range 9 {
		switch seed >> 40 % 4 {
		case 0: // rings
			fmt.Fprintf(svg, `<circle cx="%d" cy="%d" r="%d"/>`, x, y, 24+i*34)
		case 1: // waves
			fmt.Fprintf(svg, `<path d="M-20 %d q 80 -60 160 0 t 160 0 t 160 0 t 160 0"/>`, 60+i*44)
		case 2: // rays
			fmt.Fprintf(svg, `<path d="M%d %d L%d 460"/>`, x, y-100, i*90-60)
		default: // stairs
			fmt.Fprintf(svg, `<path d="M%d %d h90 v44"/>`, i*66-20, 50+i*44)
		}
	}
	svg.WriteString(`</g>`)
}

// fit returns the largest size of letters in which a title fits without breaking a word, and its lines.
func fit(title string) (size int, lines []string) {
	longest := 0
	for word := range strings.FieldsSeq(title) {
		longest = max(longest, width(word))
	}
	for size = 84; size > 36; size -= 6 {
		most := (posterWidth - 2*posterMargin) * 100 / size
		if lines = wrap(title, most); len(lines) <= 4 && longest <= most {
			return size, lines
		}
	}
	if lines = wrap(title, (posterWidth-2*posterMargin)*100/size); len(lines) > posterRows {
		lines = append(lines[:posterRows-1], strings.TrimRight(lines[posterRows-1], " ")+"…")
	}
	return size, lines
}

// wrap breaks a text into lines of at most that many hundredths of an em: between words, and in a word that is too long for a line.
func wrap(text string, most int) (lines []string) {
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		if w := width(word); line != "" && used+width(" ")+w > most {
			lines, line, used = append(lines, line), "", 0
		}
		if line != "" {
			line, used = line+" ", used+width(" ")
		}
		for _, letter := range word {
			w := width(string(letter))
			if used+w > most && line != "" {
				lines, line, used = append(lines, line), "", 0
			}
			line, used = line+string(letter), used+w
		}
	}
	return append(lines, line)
}

// width estimates how wide a text is, in hundredths of an em.
func width(text string) (sum int) {
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r >= 0x1100 && (unicode.Is(unicode.Hangul, r) || unicode.Is(unicode.Han, r) || r >= 0x3000):
			sum += 100
		case unicode.IsUpper(r), r == 'm', r == 'w', r == '—':
			sum += 78
		case strings.ContainsRune(" .,:;'!|ijlft()[]", r):
			sum += 36
		default:
			sum += 62
		}
	}
	return sum
}
