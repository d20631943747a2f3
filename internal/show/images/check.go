package images

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

const (
	// maxPixels is what bounds the memory of a decoder: see BenchmarkRedraw.
	maxPixels = 20_000_000
	// maxRatio is the most that one side may be longer than the other: a poster is 1.4 times, a banner 3.
	maxRatio = 5
	// maxScans bounds the time of a progressive JPEG: a decoder goes through all pixels once a scan. Encoders write about 10, but a
	// file of 10 MB has room for 300,000.
	maxScans = 100
)

// format is one in which an image may be uploaded.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formatOf goes by the bytes: what a name or a header says of them may be wrong.
func formatOf(upload []byte) (f format, ok bool) {
	switch {
	case bytes.HasPrefix(upload, []byte("\xff\xd8\xff")):
		return format{jpeg.DecodeConfig, jpeg.Decode}, true
	case bytes.HasPrefix(upload, []byte(pngSignature)):
		return format{png.DecodeConfig, png.Decode}, true
	case isWebP(upload):
		// It takes no frame of another size than the file's header says, so the check of that is enough.
		return format{webp.DecodeConfig, webp.Decode}, true
	}
	return format{}, false
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func isWebP(upload []byte) bool {
	return len(upload) >= 12 && string(upload[:4]) == "RIFF" && string(upload[8:12]) == "WEBP"
}

// check looks at the head of an upload, before anything of the size that it claims is made. It returns the format that the
// upload can be tried in, or an *invalid.Error.
func check(upload []byte) (format, error) {
	f, ok := formatOf(upload)
	if !ok {
		return format{}, refused("unknown_format", "must be a JPEG, PNG or WebP image")
	}
	head, err := f.config(bytes.NewReader(upload))
	switch longer, shorter := max(head.Width, head.Height), min(head.Width, head.Height); {
	case err != nil || shorter < 1:
		return format{}, errUnreadable
	case longer > maxPixels || longer*shorter > maxPixels: // the product fits into an int once the factors do
		return format{}, refused("too_large", fmt.Sprintf("must have at most %d million pixels", maxPixels/1_000_000))
	case longer > maxRatio*shorter:
		return format{}, refused("shape", fmt.Sprintf("must not be more than %d times as long one way as the other", maxRatio))
	case animated(upload):
		return format{}, refused("animated", "must not be animated")
	// In a JPEG these two bytes begin a scan; elsewhere they mean nothing, but where they are that frequent, nothing is lost.
	case bytes.HasPrefix(upload, []byte("\xff\xd8")) && bytes.Count(upload, []byte("\xff\xda")) > maxScans:
		return format{}, errUnreadable
	}
	return f, nil
}

// errUnreadable is the fault of what begins as an image but is none: damaged, cut short, or made to do harm.
var errUnreadable = refused("unreadable", "is damaged or incomplete")

// animated tells whether an upload says so in the place where PNG or WebP have it.
func animated(upload []byte) bool {
	if isWebP(upload) {
		const animation = 1 << 1
		return len(upload) > 20 && string(upload[12:16]) == "VP8X" && upload[20]&animation != 0
	}
	// An animated PNG has its acTL before the pixels.
	head, _, _ := bytes.Cut(upload, []byte("IDAT"))
	return bytes.HasPrefix(upload, []byte(pngSignature)) && bytes.Contains(head, []byte("\x00\x00\x00\x08acTL"))
}
