package loadgen

import "strconv"

// Drop says what becomes of an answer.
type Drop int

// The ways to lose an answer.
const (
	Keep     Drop = iota // it is read
	Unread               // the connection is closed as soon as the request is sent: the server may notice
	OnAnswer             // the connection is closed when the answer begins to arrive: the server has done what it was asked
)

// Request is one request.
type Request struct {
	Bytes []byte // all of it, as AppendRequest makes it
	Drop  Drop
}

// AppendRequest appends a request to b, ready to be sent. Headers are "Name: value"; Host and, where there is a body,
// Content-Length and Content-Type (JSON) are added.
func AppendRequest(b []byte, method, host, path, body string, headers ...string) []byte {
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\n"...)
	for _, header := range headers {
		b = append(b, header...)
		b = append(b, "\r\n"...)
	}
	if body != "" {
		b = append(b, "Content-Type: application/json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, body...)
}
