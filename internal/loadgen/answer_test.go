package loadgen

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
)

func TestOutcomes(t *testing.T) {
	t.Parallel()
	const problem = "Content-Type: application/problem+json; charset=utf-8\r\n"
	big := strings.Repeat("x", maxBody+1)
	tests := map[string]struct {
		answer string
		word   string
		body   string
		retry  time.Duration
	}{
		"with a length":    {answer: "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}", word: "202", body: "{}"},
		"a problem":        {answer: "HTTP/1.1 409 Conflict\r\n" + problem + "Content-Length: 19\r\n\r\n{\"code\":\"sold_out\"}", word: "409 sold_out", body: `{"code":"sold_out"}`},
		"a retry":          {answer: "HTTP/1.1 503 X\r\nretry-after: 2\r\n" + problem + "\r\n{\"code\":\"busy\"}", word: "503 busy", body: `{"code":"busy"}`, retry: 2 * time.Second},
		"not a problem":    {answer: "HTTP/1.1 500 X\r\nContent-Length: 12\r\n\r\n{\"code\":\"x\"}", word: "500", body: `{"code":"x"}`},
		"a bad problem":    {answer: "HTTP/1.1 500 X\r\n" + problem + "Content-Length: 1\r\n\r\n{", word: "500", body: `{`},
		"in chunks":        {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", word: "200", body: "abcde"},
		"to the end":       {answer: "HTTP/1.1 200 OK\r\n\r\nabc", word: "200", body: "abc"},
		"without a body":   {answer: "HTTP/1.1 204 No Content\r\n\r\n", word: "204"},
		"after a continue": {answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", word: "200", body: "a"},
		"a long header":    {answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 3*readBuffer) + "\r\nContent-Length: 1\r\n\r\na", word: "200", body: "a"},

		"nothing":              {answer: "", word: "cut"},
		"half a header":        {answer: "HTTP/1.1 200 OK\r\nContent-Le", word: "cut"},
		"half a body":          {answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", word: "cut"},
		"half the chunks":      {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", word: "cut"},
		"another protocol":     {answer: "SSH-2.0-OpenSSH_9.2\r\n", word: "malformed"},
		"no status":            {answer: "HTTP/1.1 abc\r\n\r\n", word: "malformed"},
		"no header":            {answer: "HTTP/1.1 200 OK\r\nabc\r\n\r\n", word: "malformed"},
		"a bad length":         {answer: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", word: "malformed"},
		"too long":             {answer: "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", word: "malformed"},
		"too long to the end":  {answer: "HTTP/1.1 200 OK\r\n\r\n" + big, word: "malformed"},
		"a header without end": {answer: "HTTP/1.1 200 OK\r\nX: " + big, word: "malformed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := one(t, generator(t, Options{Addr: serveRaw(t, test.answer), Connections: 1}))
			if a.Word() != test.word || a.RetryAfter != test.retry || (a.Err == nil) != (a.Outcome == Answered) {
				t.Errorf("%s, retry after %v, %v; want %s, %v", a.Word(), a.RetryAfter, a.Err, test.word, test.retry)
			}
			if a.Outcome == Answered && string(a.Body) != test.body {
				t.Errorf("body %q, want %q", a.Body, test.body)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// It is connected by the kernel, and nobody reads.
	silent := generator(t, Options{Addr: listener.Addr().String(), Connections: 1, Timeout: 50 * time.Millisecond})
	if a := one(t, silent); a.Outcome != TimedOut || a.Latency < 50*time.Millisecond {
		t.Errorf("a silent server: %s after %v, %v", a.Outcome, a.Latency, a.Err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	refused := generator(t, Options{Addr: listener.Addr().String(), Connections: 3, Keep: true})
	if a := one(t, refused); a.Outcome != Refused {
		t.Errorf("nobody listens: %s, %v", a.Outcome, a.Err)
	}
	if err := refused.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "of 3: dial tcp") {
		t.Errorf("connections to nobody opened: %v", err)
	}
}

// FuzzResponse: whatever a server sends, it is read or refused, within bounds.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var r response
		err := r.read(bufio.NewReaderSize(bytes.NewReader(answer), 64))
		if err == nil && (r.status < 200 || len(r.body) > maxBody || r.retryAfter < 0) {
			t.Errorf("%+v", r)
		}
	})
}
