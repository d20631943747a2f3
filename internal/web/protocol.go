package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

// A request that net/http cannot read never reaches a handler: net/http writes a status line, errorHeaders and some words
// straight to the connection. These connections send a problem instead.
//
// An answer of a handler is never taken for one of those. Only what is written first after a connection was opened, or became
// idle, is looked at; of a handler that is a status line with the headers of setAPIHeaders, which are sorted, so that Cache-Control
// comes before Connection and Content-Type.
const (
	errorHeaders = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	// expectation begins net/http's answer to an Expect header that it does not know. No words follow.
	expectation = " 417 Expectation Failed\r\nConnection: close\r\n"
)

// Closing a connection with something unread resets it, and a client that is still sending might never see its answer. So what
// it sends is read for a while.
const (
	lingerFor   = 500 * time.Millisecond // as net/http does
	lingerBytes = 256 << 10
)

// protocolConn is used by the goroutine that serves it. Only net/http's background read is on another: it touches read alone,
// and has ended before the next request is read.
type protocolConn struct {
	*net.TCPConn
	server *Server
	fresh  bool   // nothing was written since it was opened or became idle
	read   []byte // what was read last, in the reader's buffer

	use    atomic.Int32 // busy, idleOnce, ...
	closed atomic.Bool
}

// Close makes room for another connection.
func (c *protocolConn) Close() error {
	err := c.TCPConn.Close()
	if !c.closed.Swap(true) {
		c.server.connections.remove(c)
	}
	return err
}

// Read remembers where net/http has what it cannot read, for as long as that is there.
func (c *protocolConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.read = p[:n]
	return n, err
}

func (c *protocolConn) Write(p []byte) (int, error) {
	if c.fresh {
		c.fresh = false
		if status, words := ownAnswer(p); status != 0 {
			return len(p), c.refuse(status, words)
		}
	}
	return c.TCPConn.Write(p)
}

// ownAnswer returns status and words of an answer that net/http made up itself, or 0.
func ownAnswer(p []byte) (status int, words []byte) {
	const version = len("HTTP/1.1")
	if len(p) > version && bytes.HasPrefix(p[version:], []byte(expectation)) {
		return http.StatusExpectationFailed, []byte("417 Expectation Failed")
	}
	line := bytes.IndexByte(p, '\r')
	if line < len("HTTP/1.1 400") || !bytes.HasPrefix(p[line:], []byte(errorHeaders)) {
		return 0, nil
	}
	status, _ = strconv.Atoi(string(p[9:12])) // net/http wrote them
	return status, p[line+len(errorHeaders):]
}

// refuse sends a problem with net/http's status and words, and the name of the header that is to blame, if it can be told.
func (c *protocolConn) refuse(status int, words []byte) error {
	p := problem(status, "malformed", fmt.Sprintf("The request cannot be understood (%s).", words))
	p.RequestID = newRequestID()
	if header := unprintable(c.read); header != "" {
		p.Errors = []invalid.Field{{Field: header, Code: "characters", Message: "must have printable characters only"}}
	} else if status == http.StatusRequestHeaderFieldsTooLarge {
		p.Errors = []invalid.Field{{Field: "headers", Code: "too_long", Message: fmt.Sprintf("must have at most %d bytes, with the address", maxHeaderBytes)}}
	} else if status == http.StatusExpectationFailed {
		p.Errors = []invalid.Field{{Field: "Expect", Code: "unknown", Message: "must be 100-continue, or not be sent"}}
	} else if bytes.HasSuffix(words, []byte("Host header")) {
		p.Errors = []invalid.Field{{Field: "Host", Code: "format", Message: "must be the name of a host"}}
	}
	body, _ := json.Marshal(p) // it is but strings and numbers
	h := http.Header{}
	setAPIHeaders(h)
	h.Set(echo.HeaderXRequestID, p.RequestID)
	h.Set(echo.HeaderContentType, mimeProblem)
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var answer bytes.Buffer
	_ = (&http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: h, Close: true,
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}).Write(&answer)
	c.server.metrics.requests.WithLabelValues("none", "other", strconv.Itoa(status)).Inc()
	if _, err := c.TCPConn.Write(answer.Bytes()); err != nil {
		return err
	}
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(lingerFor))
	_, _ = io.CopyN(io.Discard, c.TCPConn, lingerBytes)
	return nil
}

// unprintable returns the name of the first header that has a control character. The first line is none: it is a request line,
// or the end of something.
func unprintable(request []byte) string {
	control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	for _, line := range strings.Split(string(request), "\n")[1:] {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		if strings.ContainsFunc(value, control) && !strings.ContainsFunc(name, unsafe) {
			return http.CanonicalHeaderKey(name)
		}
	}
	return ""
}
