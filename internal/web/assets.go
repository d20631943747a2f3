package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
)

//go:embed assets/site.css
var siteCSS []byte

// revalidate is of what changes with the program alone: it may be kept, and is asked for by its tag.
const revalidate = "no-cache"

// asset is a file that pages need. Its URL holds a hash of its content, so that it may be kept for ever.
type asset struct {
	url  string
	data []byte
}

// newAsset names a file such as site.css.
func newAsset(name string, data []byte) asset {
	kind := path.Ext(name)
	return asset{"/assets/" + strings.TrimSuffix(name, kind) + "-" + hash(data) + kind, data}
}

// hash tells contents apart.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// getAsset sends a file that pages need.
func (s *Server) getAsset(c echo.Context) error {
	for _, a := range s.assets {
		if a.url == c.Request().URL.Path {
			return sendFile(c, mime.TypeByExtension(path.Ext(a.url)), images.CacheControl, hash(a.data), a.data)
		}
	}
	return show.ErrNotFound
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
