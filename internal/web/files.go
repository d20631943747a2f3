package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// revalidate is of what changes with the program alone: it may be kept, and is asked for by its tag.
const revalidate = "no-cache"

// hash tells contents apart.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// sendFile sends what is the same for everybody, or, to who names its tag, that it has not changed.
func sendFile(c echo.Context, contentType, cacheControl, tag string, data []byte) error {
	r, h := c.Request(), c.Response().Header()
	h.Set(echo.HeaderContentType, contentType)
	h.Set(echo.HeaderCacheControl, cacheControl)
	h.Set("ETag", `"`+tag+`"`)
	for _, name := range []string{"Range", "If-Match"} { // files are small; answered are 200 and 304 alone
		r.Header.Del(name)
	}
	http.ServeContent(c.Response(), r, "", time.Time{}, bytes.NewReader(data))
	return nil
}
