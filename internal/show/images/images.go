// Package images keeps the images of shows: it checks what an admin uploads, draws it anew in three sizes, and stores these
// under a name made of their content.
//
// It owns the bucket of NETICKET_IMAGES_URL. It guarantees that whatever is in there was encoded here from pixels alone, so
// nothing that hides in an upload gets out again: no place where a picture was taken, no script; that a file never changes under
// its name; and that one upload at a time costs the process memory and time. Nothing is ever deleted, as pages and caches may
// still show an old image.
package images

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/neticket/neticket/internal/invalid"
)

// MaxUpload is the most that an upload may have, in bytes.
const MaxUpload = 10 << 20

// The widths, in pixels, in which every image is kept. Nothing is enlarged, so they are the most that a file of that name has.
const (
	Small  = 400
	Medium = 800
	Large  = 1600
)

var (
	// ErrNotFound says that there is no file of that name.
	ErrNotFound = errors.New("no such image")
	// ErrBusy says that other uploads were being drawn for longer than one waits.
	ErrBusy = errors.New("too many images at once")
)

const nameDigits = 32 // hexadecimal; 128 bits of a hash

// File returns the name of the file that holds an image in a width.
func File(name string, width int) string { return name + "-" + strconv.Itoa(width) + ".jpg" }

// isFile tells whether a file could be one of this package, so that nothing else in the bucket can be asked for.
func isFile(file string) bool {
	name := file[:min(len(file), nameDigits)]
	return len(name) == nameDigits && strings.Trim(name, "0123456789abcdef") == "" &&
		slices.Contains([]string{File(name, Small), File(name, Medium), File(name, Large)}, file)
}

// refused returns the one fault of an upload.
func refused(code, message string) error {
	var bad invalid.Error
	bad.Add("image", code, message)
	return &bad
}
