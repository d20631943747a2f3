package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
)

// running starts the server, stops it at the test's end, and returns its address.
func (f *fixture) running(t testing.TB) string {
	t.Helper()
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return addr.String()
}

// rawAnswers sends text in the given pieces and returns the answers, read until the server closes.
func rawAnswers(t *testing.T, addr string, pieces ...string) (answers []*http.Response, bodies []string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	go func() {
		for _, piece := range pieces {
			_, _ = io.WriteString(conn, piece)
		}
	}()
	reader := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			if err != io.ErrUnexpectedEOF && err != io.EOF {
				t.Errorf("after %d answers: %v", len(answers), err)
			}
			return answers, bodies
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		answers, bodies = append(answers, answer), append(bodies, string(body))
	}
}

// checkRefusal checks the answer to what net/http cannot read.
func checkRefusal(t *testing.T, name string, answer *http.Response, body string, status int, field string) {
	t.Helper()
	var p Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Errorf("%s: got %d %q", name, answer.StatusCode, body)
		return
	}
	if answer.StatusCode != status || p.Status != status || p.Code != "malformed" || p.Type != "/problems/malformed" || p.Title != "Malformed" || p.Detail == "" {
		t.Errorf("%s: got %d %s, want %d", name, answer.StatusCode, body, status)
	}
	if h := answer.Header; !answer.Close || h.Get("Content-Type") != "application/problem+json" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("X-Request-Id") != p.RequestID || len(p.RequestID) != 16 || h.Get("Date") == "" || answer.ContentLength != int64(len(body)) {
		t.Errorf("%s: close %v, %d bytes, header %v", name, answer.Close, answer.ContentLength, h)
	}
	if err := theDocument(t).Value("Problem", []byte(body)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	got := ""
	if len(p.Errors) == 1 {
		got = p.Errors[0].Field
	}
	if got != field {
		t.Errorf("%s: blames %v, want %q", name, p.Errors, field)
	}
}

func TestWhatIsNotARequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	addr := f.running(t)
	const post = "POST /api/v1/shows/1/reservations HTTP/1.1\r\nHost: example.com\r\n"
	statuses := map[string]float64{}
	for name, test := range map[string]struct {
		request string
		status  int
		field   string
	}{
		"control character in a value": {post + "Idempotency-Key: a\x01b\r\nContent-Length: 2\r\n\r\n{}", 400, "Idempotency-Key"},
		"in another case":              {post + "idempotency-key:a\x7f\r\n\r\n", 400, "Idempotency-Key"},
		"a line end within a value":    {post + "Accept: */*\r\nX-Trace: a\rb\r\n\r\n", 400, "X-Trace"},
		"NUL":                          {post + "Prefer: wait=3\x00\r\n\r\n", 400, "Prefer"},
		"lines without CR":             {"GET / HTTP/1.1\nHost: example.com\nPrefer: \x02\n\n", 400, "Prefer"},
		"a tab before it":              {post + "X-Fine: a\tb\r\nPrefer: \x1f\r\n\r\n", 400, "Prefer"},
		"bad name, bad value":          {post + "a b: \x01\r\n\r\n", 400, ""},
		"bad name":                     {post + "a b: c\r\n\r\n", 400, ""},
		"space before the colon":       {post + "Prefer : wait=3\r\n\r\n", 400, ""},
		"no colon":                     {post + "Prefer\r\n\r\n", 400, ""},
		"no host":                      {"GET / HTTP/1.1\r\n\r\n", 400, "Host"},
		"bad host":                     {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "Host"},
		"two hosts":                    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, ""},
		"bad path":                     {"GET /%zz HTTP/1.1\r\nHost: example.com\r\n\r\n", 400, ""},
		"no HTTP":                      {"hello\r\n\r\n", 400, ""},
		"TLS":                          {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, ""},
		"length and encoding":          {post + "Content-Length: x\r\n\r\n", 400, ""},
		"unknown encoding":             {post + "Transfer-Encoding: gzip\r\n\r\n", 501, ""},
		"unknown expectation":          {post + "Content-Length: 2\r\nExpect: a miracle\r\n\r\n{}", 417, "Expect"},
		"version":                      {"GET / HTTP/3.0\r\nHost: example.com\r\n\r\n", 505, ""},
		"too large":                    {post + "Cookie: " + strings.Repeat("a", 2*maxHeaderBytes) + "\r\n\r\n", 431, "headers"},
		"far too large":                {post + strings.Repeat("Cookie: a\r\n", maxHeaderBytes), 431, "headers"},
	} {
		answers, bodies := rawAnswers(t, addr, test.request)
		if len(answers) != 1 {
			t.Errorf("%s: %d answers", name, len(answers))
			continue
		}
		checkRefusal(t, name, answers[0], bodies[0], test.status, test.field)
		statuses[answers[0].Status[:3]+" other none"]++
	}
	got := f.samples(t, "neticket_http_requests_total")
	for labels, n := range statuses {
		if got[labels] != n {
			t.Errorf("%s: counted %v, want %v", labels, got[labels], n)
		}
	}
}

// On a connection that was used before, and in pieces.
func TestWhatIsNotARequestAnyMore(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.answer = booked(booking.Pending)
	addr := f.running(t)
	const get = "GET /api/v1/shows/1 HTTP/1.1\r\nHost: example.com\r\n\r\n"
	post := "POST " + bookPath + " HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nContent-Length: 11\r\n"
	token := f.token(7, account.Customer) + "\r\n"
	const bad = "GET / HTTP/1.1\r\nHost: example.com\r\nPrefer: \x01\r\n\r\n"
	for name, test := range map[string]struct {
		pieces   []string
		statuses []int
	}{
		"behind another":                  {[]string{get, bad}, []int{200, 400}},
		"in one piece with another":       {[]string{get + bad}, []int{200, 400}},
		"behind one whose body is read":   {[]string{post + token + "\r\n{\"units\":2}" + bad}, []int{202, 400}},
		"behind one whose body is unread": {[]string{post + "\r\n{\"units\":2}" + bad}, []int{401, 400}},
		"expects something":               {[]string{get + post + "Expect: x\r\n\r\n{\"units\":2}"}, []int{200, 417}},
		"behind 100 Continue":             {[]string{post + token + "Expect: 100-continue\r\n\r\n", "{\"units\":2}" + bad}, []int{100, 202, 400}},
		"in two pieces":                   {[]string{bad[:40], bad[40:]}, []int{400}},
		"behind much":                     {[]string{bad[:16] + "X: " + strings.Repeat("a", 5000) + "\r\n" + bad[16:]}, []int{400}},
	} {
		answers, bodies := rawAnswers(t, addr, test.pieces...)
		var got []int
		for _, answer := range answers {
			got = append(got, answer.StatusCode)
		}
		if !slices.Equal(got, test.statuses) {
			t.Errorf("%s: got %v, want %v", name, got, test.statuses)
			continue
		}
		last := len(got) - 1
		field := "" // it depends on how much was read at once
		for _, header := range []string{"Prefer", "Expect"} {
			if strings.Contains(bodies[last], `"field":"`+header+`"`) {
				field = header
			}
		}
		checkRefusal(t, name, answers[last], bodies[last], test.statuses[last], field)
	}
}

// Who is still sending, without reading, is not reset before the answer is there.
func TestRefusalReachesWhoStillSends(t *testing.T) {
	t.Parallel()
	addr := newFixture(t, Options{}).running(t)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_ = conn.(*net.TCPConn).SetWriteBuffer(4096)
	const head = "POST / HTTP/1.1\r\nHost: example.com\r\nPrefer: \x01\r\nContent-Length: 200000\r\n\r\n"
	for _, piece := range []string{head, strings.Repeat("x", 200_000)} {
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), `"code":"malformed"`) {
		t.Errorf("got %q, %v", answer, err)
	}
}

// A handler's answer is never replaced, even if it looks exactly like one of net/http's.
func TestHandlersAnswersAreLeftAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	own := "HTTP/1.1 400 Bad Request" + errorHeaders + "400 Bad Request"
	f.echo.GET("/same", func(c echo.Context) error {
		c.Response().Header().Set("Connection", "close")
		return c.String(http.StatusBadRequest, "400 Bad Request")
	})
	f.echo.GET("/quotes", func(c echo.Context) error {
		c.Response().Header().Set("Content-Length", "4800")
		c.Response().WriteHeader(http.StatusOK)
		c.Response().Flush()
		for range 4800 / len(own) {
			_, _ = io.WriteString(c.Response(), own)
			c.Response().Flush()
		}
		_, err := io.WriteString(c.Response(), strings.Repeat(" ", 4800%len(own)))
		return err
	})
	addr := f.running(t)
	for path, want := range map[string]string{
		"/same":   "400 Bad Request",
		"/quotes": strings.Repeat(own, 4800/len(own)) + strings.Repeat(" ", 4800%len(own)),
	} {
		answers, bodies := rawAnswers(t, addr, "GET "+path+" HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
		if len(answers) != 1 || bodies[0] != want {
			t.Errorf("%s: got %q", path, bodies)
		}
	}
}

// Requests that are nobody's reach front, too.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	addr := newFixture(t, Options{}).running(t)
	for line, status := range map[string]int{
		"OPTIONS * HTTP/1.1":                  404,
		"CONNECT example.com:443 HTTP/1.1":    404,
		"GET http://other.example/x HTTP/1.1": 404,
		"GET //api/v1/shows HTTP/1.1":         404,
		"GET /api/v1/shows HTTP/1.0":          200,
	} {
		answers, bodies := rawAnswers(t, addr, line+"\r\nHost: example.com\r\nConnection: close\r\n\r\n")
		if len(answers) != 1 || answers[0].StatusCode != status || answers[0].Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: got %v %q, want %d", line, answers, bodies, status)
		}
	}
}

// What an ordinary answer costs more is looking at its first line.
func TestOwnAnswerAllocatesNothing(t *testing.T) { // not in parallel: AllocsPerRun counts everyone's
	ordinary := []byte("HTTP/1.1 409 Conflict\r\nCache-Control: no-store\r\nContent-Type: application/problem+json\r\n\r\n{}")
	if n := testing.AllocsPerRun(100, func() {
		if status, _ := ownAnswer(ordinary); status != 0 {
			t.Errorf("taken for net/http's: %d", status)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for _, short := range []string{"", "\r", "HTTP/1.1\r\n", errorHeaders, "HTTP/1.1 40" + errorHeaders} {
		if status, _ := ownAnswer([]byte(short)); status != 0 {
			t.Errorf("%q: %d", short, status)
		}
	}
}
