package images

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"
)

// The colours of the quarters of a test picture, so that one sees how it was turned.
var (
	red    = color.RGBA{220, 30, 30, 255}
	green  = color.RGBA{30, 200, 30, 255}
	blue   = color.RGBA{30, 30, 220, 255}
	yellow = color.RGBA{230, 220, 30, 255}
	clear  = color.RGBA{}
)

// picture returns four quarters: above left and right, below left and right.
func picture(width, height int, quarters ...color.RGBA) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, quarters[2*(2*y/height)+2*x/width])
		}
	}
	return m
}

func aPicture(width, height int) *image.RGBA { return picture(width, height, red, green, blue, yellow) }

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asGIF returns a GIF's head: screen and one frame of the size, and nothing behind it.
func asGIF(t testing.TB, width, height uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{red, blue}), nil); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	binary.LittleEndian.PutUint16(file[6:], width)
	binary.LittleEndian.PutUint16(file[8:], height)
	return file[:min(len(file), 34)]
}

// asWebP returns a lossless WebP of one colour and any size: its codes have one symbol each, so pixels take no bits.
func asWebP(width, height uint32) []byte {
	size := binary.LittleEndian.AppendUint32(nil, (width-1)|(height-1)<<14)
	frame := slices.Concat([]byte("VP8L\x0d\x00\x00\x00\x2f"), size, []byte("\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	return riff(frame)
}

func riff(chunks ...[]byte) []byte {
	body := slices.Concat(append([][]byte{[]byte("WEBP")}, chunks...)...)
	return slices.Concat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body)
}

// withChunk puts a chunk behind the head of a PNG. Its checksum is right.
func withChunk(file []byte, name, data string) []byte {
	const head = 8 + 25 // signature, IHDR
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), name+data...)
	chunk = binary.BigEndian.AppendUint32(chunk, checksum(chunk[4:]))
	return slices.Insert(slices.Clone(file), head, chunk...)
}

// secret is what must not be found in what is stored.
const secret = "37.5796 N 126.9770 E"

// withExif puts Exif data with an orientation and a place into a JPEG.
func withExif(file []byte, order binary.AppendByteOrder, o uint16) []byte {
	tiff := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II*\x00")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{0x0100, 7}, {0x0112, o}} { // the width comes first
		tiff = order.AppendUint16(tiff, entry[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, entry[1])
		tiff = order.AppendUint16(tiff, 0)
	}
	data := append([]byte("Exif\x00\x00"), append(tiff, secret...)...)
	segment := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(data)+2))...)
	return slices.Concat(file[:2], segment, data, file[2:])
}

// progressive returns a JPEG of one colour, whose pixels a decoder goes through scans times: one scan for the
// mean of each block, then some in which nothing changes, which take next to no bytes.
func progressive(width, height uint16, scans int) []byte {
	blocks := (int(width) + 7) / 8 * ((int(height) + 7) / 8)
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, height), width)
	// Each table has one code, the bit 0: a mean that is that of the block before, and 16,384 blocks (14 bits more) left as they are.
	table := func(id byte, symbol byte) []byte {
		return slices.Concat([]byte{0xff, 0xc4, 0, 20, id, 1}, make([]byte, 15), []byte{symbol})
	}
	file := slices.Concat(
		[]byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}, bytes.Repeat([]byte{1}, 64),
		[]byte{0xff, 0xc2, 0, 17, 8}, size, []byte{3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0},
		table(0x00, 0), table(0x10, 0xe0),
		[]byte{0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0}, make([]byte, 3*blocks/8+1),
	)
	for range scans - 1 {
		file = slices.Concat(file, []byte{0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0}, make([]byte, (blocks/16384+1)*15/8+1))
	}
	return append(file, 0xff, 0xd9)
}
