package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

const maxWait = 10 // seconds

// preferredWait returns how long the client wants to wait for a result (RFC 7240, section 4.3). Where nothing is bad so far,
// the answer says that it was heeded.
func preferredWait(c echo.Context, bad *invalid.Error) time.Duration {
	text, ok := preference(c.Request().Header.Values("Prefer"), "wait")
	if !ok {
		return 0
	}
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seconds > maxWait {
		bad.Add("Prefer", "out_of_range", "wait must be 0 to "+strconv.Itoa(maxWait)+" seconds")
	}
	if bad.OrNil() != nil {
		return 0
	}
	c.Response().Header().Set("Preference-Applied", "wait="+strconv.FormatUint(seconds, 10))
	return time.Duration(seconds) * time.Second
}

// preference returns the value of a preference, "" where it has none, and whether it is there. The first one counts; its
// parameters do not.
func preference(headers []string, want string) (value string, ok bool) {
	for _, header := range headers {
		for header != "" {
			var item string
			item, header = cutUnquoted(header, ',')
			item, _ = cutUnquoted(item, ';')
			name, value, _ := strings.Cut(item, "=")
			if !strings.EqualFold(strings.TrimSpace(name), want) {
				continue
			}
			value = strings.TrimSpace(value)
			if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			return value, true
		}
	}
	return "", false
}

// cutUnquoted cuts text around the first separator that is not in a quoted string.
func cutUnquoted(text string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case b == separator && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}
