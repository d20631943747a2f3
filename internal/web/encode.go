package web

import (
	"encoding/hex"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

// The answers of the sale minute (a booking, a refusal, a show) are written here by hand: encoding/json needs three times as long
// and allocates for each time and id. TestEncoders and FuzzEncode hold them equal to encoding/json byte for byte; a field that is
// added to a struct and forgotten here fails both. All other answers go through encoding/json: see answer.

// buffer holds a body, read or written. It is pooled.
type buffer struct{ bytes []byte }

const (
	newBuffer = 1 << 10
	maxBuffer = 64 << 10 // a page of 100 shows with long descriptions; larger ones are left to the garbage collector
)

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, newBuffer)} }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.bytes) <= maxBuffer {
		b.bytes = b.bytes[:0]
		buffers.Put(b)
	}
}

// The values of headers that never differ. Requests share them: nothing changes them in place.
var (
	typeJSON    = []string{echo.MIMEApplicationJSON}
	typeProblem = []string{mimeProblem}
)

// sendBuffer sends a JSON body that was encoded by hand, and frees its buffer.
func (s *Server) sendBuffer(c echo.Context, status int, contentType []string, body *buffer) error {
	defer body.free()
	body.bytes = append(body.bytes, '\n') // as json.Encoder ends it
	w := c.Response()
	h := w.Header()
	h[echo.HeaderContentType] = contentType
	s.closeIfDue(h)
	w.WriteHeader(status)
	_, err := w.Write(body.bytes)
	return err
}

// appendJSON appends r as encoding/json would.
func (r *reservationJSON) appendJSON(to []byte) []byte {
	to = append(to, `{"id":"`...)
	to = appendUUID(to, r.ID)
	to = append(to, `","number":`...)
	to = appendString(to, r.Number)
	to = append(to, `,"show":{"id":`...)
	to = strconv.AppendInt(to, r.Show.ID, 10)
	to = append(to, `,"title":`...)
	to = appendString(to, r.Show.Title)
	to = append(to, `,"venue":`...)
	to = appendString(to, r.Show.Venue)
	to = append(to, `,"starts_at":`...)
	to = appendTime(to, r.Show.StartsAt)
	to = append(to, `,"image_url":`...)
	to = appendOptional(to, r.Show.ImageURL, appendString)
	to = append(to, `},"units":`...)
	to = strconv.AppendInt(to, int64(r.Units), 10)
	to = append(to, `,"price_total":`...)
	to = strconv.AppendInt(to, r.PriceTotal, 10)
	to = append(to, `,"status":`...)
	to = appendString(to, r.Status)
	to = append(to, `,"reason":`...)
	to = appendOptional(to, r.Reason, appendString)
	to = append(to, `,"booked_at":`...)
	to = appendTime(to, r.BookedAt)
	to = append(to, `,"confirmed_at":`...)
	to = appendOptional(to, r.ConfirmedAt, appendTime)
	to = append(to, `,"cancelled_at":`...)
	to = appendOptional(to, r.CancelledAt, appendTime)
	to = append(to, `,"cancellable":`...)
	to = strconv.AppendBool(to, r.Cancellable)
	return append(to, '}')
}

// appendJSON appends s as encoding/json would.
func (s *showJSON) appendJSON(to []byte) []byte { return s.appendStock(s.appendText(to)) }

// appendText appends what an admin has written: it stays the same while the show sells.
func (s *showJSON) appendText(to []byte) []byte {
	to = append(to, `{"id":`...)
	to = strconv.AppendInt(to, s.ID, 10)
	to = append(to, `,"title":`...)
	to = appendString(to, s.Title)
	to = append(to, `,"venue":`...)
	to = appendString(to, s.Venue)
	to = append(to, `,"description":`...)
	to = appendString(to, s.Description)
	to = append(to, `,"price":`...)
	to = strconv.AppendInt(to, s.Price, 10)
	to = append(to, `,"image_url":`...)
	to = appendOptional(to, s.ImageURL, appendString)
	to = append(to, `,"image_alt":`...)
	to = appendString(to, s.ImageAlt)
	to = append(to, `,"time_zone":`...)
	to = appendString(to, s.TimeZone)
	to = append(to, `,"starts_at":`...)
	to = appendTime(to, s.StartsAt)
	to = append(to, `,"sales_open_at":`...)
	to = appendTime(to, s.SalesOpenAt)
	to = append(to, `,"sales_close_at":`...)
	return appendTime(to, s.SalesCloseAt)
}

// appendStock appends the rest, which is another with each poll.
func (s *showJSON) appendStock(to []byte) []byte {
	to = append(to, `,"capacity":`...)
	to = strconv.AppendInt(to, int64(s.Capacity), 10)
	to = append(to, `,"left":`...)
	to = strconv.AppendInt(to, int64(s.Left), 10)
	to = append(to, `,"limit_per_user":`...)
	to = strconv.AppendInt(to, int64(s.LimitPerUser), 10)
	to = append(to, `,"state":`...)
	to = appendString(to, s.State)
	to = append(to, `,"server_time":`...)
	to = appendTime(to, s.ServerTime)
	return append(to, '}')
}

// appendJSON appends p as encoding/json would.
func (p *Problem) appendJSON(to []byte) []byte {
	to = append(to, `{"type":`...)
	to = appendString(to, p.Type)
	to = append(to, `,"title":`...)
	to = appendString(to, p.Title)
	to = append(to, `,"status":`...)
	to = strconv.AppendInt(to, int64(p.Status), 10)
	to = append(to, `,"detail":`...)
	to = appendString(to, p.Detail)
	to = append(to, `,"code":`...)
	to = appendString(to, p.Code)
	to = append(to, `,"request_id":`...)
	to = appendString(to, p.RequestID)
	if len(p.Errors) > 0 {
		to = append(to, `,"errors":[`...)
		for i := range p.Errors {
			if i > 0 {
				to = append(to, ',')
			}
			to = appendField(to, &p.Errors[i])
		}
		to = append(to, ']')
	}
	to = appendFigure(to, `,"left":`, p.Left)
	to = appendFigure(to, `,"held":`, p.Held)
	to = appendFigure(to, `,"limit":`, p.Limit)
	if p.OpensAt != nil {
		to = appendTime(append(to, `,"opens_at":`...), *p.OpensAt)
	}
	to = appendFigure(to, `,"reserved":`, p.Reserved)
	return append(to, '}')
}

func appendField(to []byte, f *invalid.Field) []byte {
	to = append(to, `{"field":`...)
	to = appendString(to, f.Field)
	to = append(to, `,"code":`...)
	to = appendString(to, f.Code)
	to = append(to, `,"message":`...)
	to = appendString(to, f.Message)
	return append(to, '}')
}

// appendFigure leaves a member out that is nil.
func appendFigure(to []byte, name string, figure *int) []byte {
	if figure == nil {
		return to
	}
	return strconv.AppendInt(append(to, name...), int64(*figure), 10)
}

// appendOptional writes null for nil.
func appendOptional[T any](to []byte, value *T, appendValue func([]byte, T) []byte) []byte {
	if value == nil {
		return append(to, "null"...)
	}
	return appendValue(to, *value)
}

func appendTime(to []byte, t time.Time) []byte {
	to = append(to, '"')
	to = t.AppendFormat(to, time.RFC3339Nano)
	return append(to, '"')
}

func appendUUID(to []byte, id uuid.UUID) []byte {
	to = append(hex.AppendEncode(to, id[:4]), '-')
	to = append(hex.AppendEncode(to, id[4:6]), '-')
	to = append(hex.AppendEncode(to, id[6:8]), '-')
	to = append(hex.AppendEncode(to, id[8:10]), '-')
	return hex.AppendEncode(to, id[10:])
}

func appendString[S ~string](to []byte, s S) []byte {
	if !needsNoEscape(string(s)) {
		return appendEscaped(to, string(s))
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}

func needsNoEscape(s string) bool {
	ascii := true
	for i := range len(s) {
		switch b := s[i]; {
		case b < ' ' || b == '"' || b == '\\' || b == '<' || b == '>' || b == '&':
			return false
		case b == 0xe2: // U+2028 and U+2029 begin with it, and punctuation that seldom occurs
			return false
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s)
}
