package images

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/invalid"
)

func checksum(data []byte) uint32 { return crc32.ChecksumIEEE(data) }

// memory is a bucket.
type memory struct{ files sync.Map }

func (m *memory) Write(_ context.Context, file string, data []byte) error {
	m.files.Store(file, data)
	return nil
}

func (m *memory) Read(_ context.Context, file string) ([]byte, error) {
	data, ok := m.files.Load(file)
	if !ok {
		return nil, ErrNotFound
	}
	return data.([]byte), nil
}

// add adds an upload and returns what is stored of it in a width.
func add(t *testing.T, s *Store, upload []byte, width int) image.Image {
	t.Helper()
	name, err := s.Add(t.Context(), upload)
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.Read(t.Context(), File(name, width))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte(secret)) {
		t.Error("what hid in the upload is still there")
	}
	m, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSizes(t *testing.T) {
	t.Parallel()
	s := NewStore(&memory{})
	for name, test := range map[string]struct {
		upload []byte
		want   map[int]image.Point
	}{
		"large JPEG":           {asJPEG(t, aPicture(1700, 425)), map[int]image.Point{Small: {400, 100}, Medium: {800, 200}, Large: {1600, 400}}},
		"PNG, never enlarged":  {asPNG(t, aPicture(600, 300)), map[int]image.Point{Small: {400, 200}, Medium: {600, 300}, Large: {600, 300}}},
		"WebP":                 {asWebP(900, 400), map[int]image.Point{Small: {400, 178}, Medium: {800, 356}, Large: {900, 400}}},
		"progressive JPEG":     {progressive(500, 250, 10), map[int]image.Point{Small: {400, 200}}},
		"as small as can be":   {asPNG(t, picture(1, 1, red)), map[int]image.Point{Small: {1, 1}, Large: {1, 1}}},
		"as long as can be":    {asPNG(t, picture(1000, 200, red, red, red, red)), map[int]image.Point{Small: {400, 80}}},
		"as tall as can be":    {asPNG(t, picture(401, 2005, red, red, red, red)), map[int]image.Point{Small: {400, 2000}}},
		"turned by the camera": {withExif(asJPEG(t, aPicture(400, 1700)), binary.BigEndian, 6), map[int]image.Point{Small: {400, 94}, Large: {1600, 376}}},
	} {
		stored, err := s.Add(t.Context(), test.upload)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for width, want := range test.want {
			file, err := s.Read(t.Context(), File(stored, width))
			if err != nil {
				t.Fatal(err)
			}
			got, err := jpeg.DecodeConfig(bytes.NewReader(file))
			if err != nil || image.Pt(got.Width, got.Height) != want {
				t.Errorf("%s: got %d x %d for %d, want %v; %v", name, got.Width, got.Height, width, want, err)
			}
		}
	}
}

// near tells whether two colours look the same, after a JPEG.
func near(a color.Color, b color.RGBA) bool {
	r, g, bl, _ := a.RGBA()
	far := func(x uint32, y uint8) bool { d := int(x>>8) - int(y); return d > 12 || d < -12 }
	return !far(r, b.R) && !far(g, b.G) && !far(bl, b.B)
}

// wantQuarters looks at the middle of each quarter.
func wantQuarters(t *testing.T, what string, m image.Image, want ...color.RGBA) {
	t.Helper()
	size := m.Bounds().Size()
	for i, colour := range want {
		if got := m.At(size.X*(1+2*(i%2))/4, size.Y*(1+2*(i/2))/4); !near(got, colour) {
			t.Errorf("%s: quarter %d is %v, want %v", what, i, got, colour)
		}
	}
}

func TestColours(t *testing.T) {
	t.Parallel()
	s := NewStore(&memory{})
	white := color.RGBA{255, 255, 255, 255}
	wantQuarters(t, "JPEG", add(t, s, asJPEG(t, aPicture(830, 830)), Small), red, green, blue, yellow)
	wantQuarters(t, "PNG", add(t, s, asPNG(t, aPicture(301, 203)), Small), red, green, blue, yellow)
	wantQuarters(t, "transparent", add(t, s, asPNG(t, picture(410, 410, red, clear, clear, blue)), Small), red, white, white, blue)
	grey := image.NewGray16(image.Rect(0, 0, 50, 50))
	wantQuarters(t, "16 bits of grey", add(t, s, asPNG(t, grey), Small), color.RGBA{A: 255})
}

func TestTurned(t *testing.T) {
	t.Parallel()
	s := NewStore(&memory{})
	upload := asJPEG(t, aPicture(80, 60))
	for o, want := range map[uint16][]color.RGBA{
		0: {red, green, blue, yellow}, // there is no such thing
		1: {red, green, blue, yellow},
		2: {green, red, yellow, blue},
		3: {yellow, blue, green, red},
		4: {blue, yellow, red, green},
		5: {red, blue, green, yellow},
		6: {blue, red, yellow, green},
		7: {yellow, green, blue, red},
		8: {green, yellow, red, blue},
		9: {red, green, blue, yellow},
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			m := add(t, s, withExif(upload, order, o), Small)
			wantQuarters(t, order.String()+" "+string(rune('0'+o)), m, want...)
			if got, want := m.Bounds().Dx() < m.Bounds().Dy(), o >= 5 && o <= 8; got != want {
				t.Errorf("orientation %d: upright %v", o, got)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := NewStore(&memory{})
	photo, drawn := asJPEG(t, aPicture(300, 200)), asPNG(t, aPicture(300, 200))
	claims := func(width, height uint32) []byte {
		file := bytes.Clone(asPNG(t, aPicture(4, 4)))
		binary.BigEndian.PutUint32(file[16:], width)
		binary.BigEndian.PutUint32(file[20:], height)
		binary.BigEndian.PutUint32(file[29:], checksum(file[12:29]))
		return file
	}
	animatedWebP := riff([]byte("VP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x63\x00\x00\x63\x00\x00"), []byte("ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	// Its header says 100 x 100, its frame 16,384 x 16,384.
	twoSizes := riff([]byte("VP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x63\x00\x00\x63\x00\x00"), asWebP(16384, 16384)[12:])
	for name, test := range map[string]struct {
		upload []byte
		code   string
	}{
		"nothing":                       {nil, "unknown_format"},
		"text":                          {[]byte("hello"), "unknown_format"},
		"SVG with a script":             {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "unknown_format"},
		"GIF that claims 60,000 a side": {asGIF(t, 60_000, 60_000), "unknown_format"},
		"PNG that claims 60,000 a side": {claims(60_000, 60_000), "too_large"},
		"PNG that claims 2^31 a side":   {claims(1<<31-1, 1<<31-1), "unreadable"},
		"PNG of no size":                {claims(0, 100), "unreadable"},
		"a pixel too many":              {claims(5_000, 4_001), "too_large"},
		"WebP that claims 16,384":       {asWebP(16384, 16384), "too_large"},
		"WebP of two sizes":             {twoSizes, "unreadable"},
		"too long":                      {asPNG(t, picture(1001, 200, red, red, red, red)), "shape"},
		"too tall":                      {asPNG(t, picture(200, 1001, red, red, red, red)), "shape"},
		"animated PNG":                  {withChunk(drawn, "acTL", "\x00\x00\x00\x02\x00\x00\x00\x00"), "animated"},
		"animated WebP":                 {animatedWebP, "animated"},
		"a JPEG's beginning":            {photo[:3], "unreadable"},
		"half a JPEG":                   {photo[:len(photo)/2], "unreadable"},
		"JPEG without its end":          {photo[:len(photo)-2], "unreadable"},
		"half a PNG":                    {drawn[:len(drawn)/2], "unreadable"},
		"PNG without its end":           {drawn[:len(drawn)-12], "unreadable"},
		"WebP without its end":          {asWebP(100, 100)[:25], "unreadable"},
		"PNG with a wrong checksum":     {append(bytes.Clone(drawn[:len(drawn)-1]), 0), "unreadable"},
		"JPEG of too many scans":        {progressive(300, 200, maxScans+1), "unreadable"},
	} {
		name2, err := s.Add(t.Context(), test.upload)
		bad, ok := errors.AsType[*invalid.Error](err)
		if !ok || len(bad.Fields) != 1 || bad.Fields[0].Field != "image" || bad.Fields[0].Code != test.code {
			t.Errorf("%s: got %q, %v; want %s", name, name2, err, test.code)
		}
	}
}

// The limit itself is allowed.
func TestLargest(t *testing.T) {
	t.Parallel()
	if _, err := check(asWebP(5000, 4000)); err != nil {
		t.Error(err)
	}
}

func TestPanicIsTheUploadsFault(t *testing.T) {
	t.Parallel()
	f, _ := formatOf(asJPEG(t, aPicture(4, 4)))
	f.decode = nil // calling it panics
	_, err := redraw(nil, f)
	if _, ok := errors.AsType[*invalid.Error](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := NewStore(&memory{})
	upload := asJPEG(t, aPicture(90, 90))
	first, err := s.Add(t.Context(), upload)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Add(t.Context(), withExif(upload, binary.BigEndian, 1)); err != nil || again != first {
		t.Errorf("the same picture: got %s, %v, want %s", again, err, first)
	}
	if other, err := s.Add(t.Context(), asJPEG(t, aPicture(90, 91))); err != nil || other == first {
		t.Errorf("another picture: got %s, %v", other, err)
	}
	if data, err := s.Read(t.Context(), File(first, Medium)); err != nil || len(data) == 0 {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
	for _, file := range []string{
		"", ".", "..", first, first + ".jpg", File(first, 801), File(first, Medium) + ".attrs", File(first, Medium) + "/", "/" + File(first, Medium),
		"../" + File(first, Medium), File(strings.ToUpper(first), Medium), File(first[:31], Medium), File(first[:31]+"0", Medium),
		File(first+"0", Medium), strings.Repeat("a", 40), File(first, -800), File(first, Medium)[:39],
	} {
		if data, err := s.Read(t.Context(), file); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: got %d bytes, %v", file, len(data), err)
		}
	}
}

func TestOneIsDrawnAtATime(t *testing.T) {
	t.Parallel()
	s := NewStore(&memory{})
	s.wait = 10 * time.Millisecond
	upload := asPNG(t, aPicture(40, 40))
	s.drawing <- struct{}{}
	if _, err := s.Add(t.Context(), upload); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if _, err := s.Add(t.Context(), []byte("no image")); errors.Is(err, ErrBusy) {
		t.Errorf("what is refused does not wait, but got %v", err)
	}
	<-s.drawing
	if _, err := s.Add(t.Context(), upload); err != nil {
		t.Error(err)
	}
}
