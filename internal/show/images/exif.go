package images

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how the pixels of a JPEG have to be turned to be seen upright: 1 to 8, as Exif counts them. Cameras write the
// pixels as they come, and say here how they were held. PNG and WebP files can say so too; hardly any does, and it is ignored.
type orientation int

const upright orientation = 1

// orientationOf reads it from the segments before the first scan.
func orientationOf(jpeg []byte) orientation {
	if !bytes.HasPrefix(jpeg, []byte("\xff\xd8")) {
		return upright
	}
	const exif, scan = 0xe1, 0xda
	for rest := jpeg[2:]; len(rest) >= 4 && rest[0] == 0xff && rest[1] != scan; {
		size := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if size < 4 || size > len(rest) {
			break
		}
		if tiff, ok := bytes.CutPrefix(rest[4:size], []byte("Exif\x00\x00")); ok && rest[1] == exif {
			return orientationIn(tiff)
		}
		rest = rest[size:]
	}
	return upright
}

// orientationIn looks through the first directory of a TIFF file, which is what Exif data are.
func orientationIn(tiff []byte) orientation {
	const (
		entrySize = 12 // tag, type, count, value
		tag       = 0x0112
	)
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II*\x00")) {
		order = binary.LittleEndian
	} else if !bytes.HasPrefix(tiff, []byte("MM\x00*")) {
		return upright
	}
	if len(tiff) < 8 || uint64(order.Uint32(tiff[4:]))+2 > uint64(len(tiff)) {
		return upright
	}
	directory := tiff[order.Uint32(tiff[4:]):]
	count := int(order.Uint16(directory))
	for entry := directory[2:]; count > 0 && len(entry) >= entrySize; count, entry = count-1, entry[entrySize:] {
		if o := orientation(order.Uint16(entry[8:])); order.Uint16(entry) == tag && o >= 1 && o <= 8 {
			return o
		}
	}
	return upright
}

// swaps tells whether width and height change places.
func (o orientation) swaps() bool { return o >= 5 }

// turn returns m upright.
func (o orientation) turn(m *image.RGBA) *image.RGBA {
	if o == upright {
		return m
	}
	from := m.Bounds().Size()
	size := from
	if o.swaps() {
		size = image.Pt(from.Y, from.X)
	}
	turned := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			u, v := x, y
			if o.swaps() {
				u, v = y, x
			}
			if o == 2 || o == 3 || o == 7 || o == 8 {
				u = from.X - 1 - u
			}
			if o == 3 || o == 4 || o == 6 || o == 7 {
				v = from.Y - 1 - v
			}
			turned.SetRGBA(x, y, m.RGBAAt(u, v))
		}
	}
	return turned
}
