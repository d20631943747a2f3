package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// Pages that anybody may see, and the files that pages link to, are compressed for clients that accept gzip. What is somebody's own is not:
// an answer that holds a secret beside a text that an attacker chooses tells by its length how much they have in common (BREACH). So the
// pages with bookings, email addresses or an admin's figures go out as they are, and those that say why a form was refused. The others hold no secret, logged in or not: the key in
// the form of a show is new in each answer, and who knows one learns nothing and can book nothing for anybody. Images are compressed
// already, the stream of units left is sent in small parts, and JSON is left to a proxy.

// compressFrom is how large a page has to be, in bytes: below that, gzip saves no packet.
const compressFrom = 1 << 10

const (
	headerVary         = "Vary"
	varyEncoding       = "Accept-Encoding"
	varyPage           = "Cookie, Accept-Language"
	varyCompressedPage = varyPage + ", " + varyEncoding
)

// publicPages are those that are the same for everybody, but for the bar and the key of a form.
func publicPage(name string) bool { return name == "home" || name == "search" || name == "show" }

// acceptsGzip reports whether a client takes gzip (RFC 9110, section 12.5.3). One that does not say what it takes gets what every client
// takes.
func acceptsGzip(h http.Header) bool {
	others := false
	for _, line := range h.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(line, ",") {
			coding, parameters, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				return wanted(parameters) // which counts more than what is said of *
			case "*":
				others = wanted(parameters)
			}
		}
	}
	return others
}

// wanted reports whether the weight of a coding is above 0. A weight that cannot be read is none, and the coding is left alone.
func wanted(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return err == nil && weight > 0
		}
	}
	return true
}

// gzipWriters are kept, as each has tables of several hundred kB. Their level is the fastest: a page of 10 kB takes about 100 us, and better
// ones save few bytes more.
var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one that there is
	return w
}}

// appendGzip appends data, compressed.
func appendGzip(to, data []byte) []byte {
	out := bytes.NewBuffer(to)
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(out)
	_, _ = w.Write(data) // memory takes everything
	_ = w.Close()
	return out.Bytes()
}

// sendPage sends a page, compressed where that is worth it and allowed.
func (s *Server) sendPage(c echo.Context, status int, name string, page []byte) error {
	w := c.Response()
	h := w.Header()
	h[headerVary] = []string{varyPage}
	if s.options.Compress && publicPage(name) && status == http.StatusOK { // a refused booking is answered with a show's page, too, and is personal
		h[headerVary] = []string{varyCompressedPage}
		if len(page) >= compressFrom && acceptsGzip(c.Request().Header) {
			compressed := takeBuffer()
			defer compressed.free()
			compressed.bytes = appendGzip(compressed.bytes, page)
			page = compressed.bytes
			h[echo.HeaderContentEncoding] = []string{"gzip"}
		}
	}
	h[echo.HeaderContentType] = []string{echo.MIMETextHTMLCharsetUTF8}
	h[echo.HeaderContentLength] = []string{strconv.Itoa(len(page))}
	s.closeIfDue(h)
	w.WriteHeader(status)
	_, err := w.Write(page)
	return err
}

// sendText is sendFile for what is worth compressing; compressed is the same as gzip, or nil: then it is made now. Each has a tag of its own,
// as caches take what has one tag for the same bytes.
func (s *Server) sendText(c echo.Context, contentType, cacheControl, tag string, data, compressed []byte) error {
	if !s.options.Compress {
		return sendFile(c, contentType, cacheControl, tag, data)
	}
	h := c.Response().Header()
	h.Set(headerVary, varyEncoding)
	if !acceptsGzip(c.Request().Header) {
		return sendFile(c, contentType, cacheControl, tag, data)
	}
	if compressed == nil {
		compressed = appendGzip(nil, data)
	}
	h.Set(echo.HeaderContentEncoding, "gzip")
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(compressed))) // http.ServeContent leaves it out with an encoding
	return sendFile(c, contentType, cacheControl, tag+"-gzip", compressed)
}
