package loadgen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"time"
)

// maxBody bounds an answer: a page with everything in it is a tenth of that.
const maxBody = 1 << 20

// response is an answer as it is read from a connection.
type response struct {
	status     int
	length     int64 // -1: not given
	chunked    bool
	close      bool // the server closes the connection
	problem    bool
	retryAfter time.Duration
	body       []byte
}

// read reads one answer; the body's space is used again.
func (r *response) read(from *bufio.Reader) error {
	*r = response{length: -1, body: r.body[:0]}
	line, err := readLine(from)
	if err != nil {
		return err
	}
	const version = "HTTP/1.1 "
	if !bytes.HasPrefix(line, []byte(version)) || len(line) < len(version)+3 {
		return fmt.Errorf("%w: it begins with %.40q", errMalformed, line)
	}
	if r.status, err = strconv.Atoi(string(line[len(version) : len(version)+3])); err != nil {
		return fmt.Errorf("%w: its status is %.40q", errMalformed, line)
	}
	for {
		line, err := readLine(from)
		switch {
		case err != nil:
			return noEOF(err)
		case len(line) > 0:
			if err := r.header(line); err != nil {
				return err
			}
		case r.status < 200: // "100 Continue": the real one follows
			return r.read(from)
		default:
			return r.readBody(from)
		}
	}
}

// header takes what is of use from a header line.
func (r *response) header(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return fmt.Errorf("%w: a header is %.40q", errMalformed, line)
	}
	value = bytes.TrimSpace(value)
	is := func(want string) bool { return len(name) == len(want) && bytes.EqualFold(name, []byte(want)) }
	switch {
	case is("Content-Length"):
		length, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || length < 0 || length > maxBody {
			return fmt.Errorf("%w: its length is %.40q, the most is %d", errMalformed, value, maxBody)
		}
		r.length = length
	case is("Transfer-Encoding"):
		r.chunked = bytes.EqualFold(value, []byte("chunked"))
	case is("Connection"):
		r.close = bytes.EqualFold(value, []byte("close"))
	case is("Content-Type"):
		r.problem = bytes.HasPrefix(value, []byte("application/problem+json"))
	case is("Retry-After"):
		if seconds, err := strconv.Atoi(string(value)); err == nil && seconds > 0 {
			r.retryAfter = time.Duration(seconds) * time.Second
		}
	}
	return nil
}

func (r *response) readBody(from *bufio.Reader) error {
	switch {
	case r.status == 204 || r.status == 304:
		return nil
	case r.chunked:
		if err := r.copyBody(httputil.NewChunkedReader(from)); err != nil {
			return err
		}
		line, err := readLine(from) // of trailers there are none
		if err == nil && len(line) > 0 {
			err = fmt.Errorf("%w: it goes on after its last chunk", errMalformed)
		}
		return noEOF(err)
	case r.length >= 0:
		if cap(r.body) < int(r.length) {
			r.body = make([]byte, r.length)
		}
		r.body = r.body[:r.length]
		_, err := io.ReadFull(from, r.body)
		return noEOF(err)
	default: // until the server closes
		r.close = true
		return r.copyBody(from)
	}
}

// copyBody reads to the end of from.
func (r *response) copyBody(from io.Reader) error {
	body := bytes.NewBuffer(r.body)
	n, err := body.ReadFrom(io.LimitReader(from, maxBody+1))
	r.body = body.Bytes()
	if err == nil && n > maxBody {
		err = fmt.Errorf("%w: it has more than %d bytes", errMalformed, maxBody)
	}
	return noEOF(err)
}

// readLine returns the next line without its end. Of a line that is longer than the reader's buffer, such as a content security
// policy, it returns the beginning.
func readLine(from *bufio.Reader) ([]byte, error) {
	line, err := from.ReadSlice('\n')
	if err == nil {
		return bytes.TrimRight(line, "\r\n"), nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	line = bytes.Clone(line)
	for rest := 0; errors.Is(err, bufio.ErrBufferFull); rest++ {
		if rest > 64 {
			return nil, fmt.Errorf("%w: a line does not end", errMalformed)
		}
		_, err = from.ReadSlice('\n')
	}
	return line, err
}

// noEOF is for an end in the middle.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
