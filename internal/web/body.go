package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/object"
)

// maxBody is the most that a JSON body may have, in bytes.
const maxBody = 64 << 10

// readBody decodes the request's body, one JSON object, into the fields of the struct that into points to, as strictly as package
// object does.
func readBody(c echo.Context, into any) error {
	if err := checkType(c.Request().Header); err != nil {
		return err
	}
	data, err := readAll(c)
	if err != nil {
		return err
	}
	return object.Decode(data, into)
}

func checkType(h http.Header) error {
	if !isJSON(h.Get(echo.HeaderContentType)) || encoded(h) {
		return errMediaType
	}
	return nil
}

// readNothing refuses a body that says something, where all there is to say stands in the URL. Of what type it is does not matter:
// who sends a form has something in mind, too.
func readNothing(c echo.Context) error {
	data, err := readAll(c)
	if err != nil || len(bytes.TrimLeft(data, " \t\r\n")) == 0 {
		return err
	}
	return object.Decode(data, new(struct{}))
}

func readAll(c echo.Context) ([]byte, error) {
	if n := c.Request().ContentLength; n >= 0 && n <= maxBody {
		data := make([]byte, n)
		return data, readWhole(c, data)
	}
	// Given the server's own ResponseWriter, MaxBytesReader also ends the connection of who sends too much.
	data, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, c.Request().Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errTooLarge
		}
		return nil, errIncomplete
	}
	return data, nil
}

// readWhole fills data, which is as long as the request says that its body is.
func readWhole(c echo.Context, data []byte) error {
	if _, err := io.ReadFull(c.Request().Body, data); err != nil {
		return errIncomplete
	}
	return nil
}

// encoded says whether a body is compressed, which nobody asked for.
func encoded(h http.Header) bool {
	encoding := h.Get(echo.HeaderContentEncoding)
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

func isJSON(contentType string) bool {
	if contentType == echo.MIMEApplicationJSON {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == echo.MIMEApplicationJSON
}
