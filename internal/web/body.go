package web

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/object"
)

// maxBody is the most that a JSON body may have, in bytes.
const maxBody = 64 << 10

// readBody decodes the request's body, one JSON object, into the fields of the struct that into points to, as strictly as package
// object does.
func readBody(c echo.Context, into any) error {
	r := c.Request()
	if !isJSON(r.Header.Get(echo.HeaderContentType)) {
		return errMediaType
	}
	// Given the server's own ResponseWriter, MaxBytesReader also ends the connection of who sends too much.
	data, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return errTooLarge
		}
		return malformed("", "incomplete", "the body could not be read to its end")
	}
	return object.Decode(data, into)
}

func isJSON(contentType string) bool {
	if contentType == echo.MIMEApplicationJSON {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == echo.MIMEApplicationJSON
}
