package web

import (
	"bytes"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/object"
)

// maxPlain is more than a body of readUnits has in its usual forms, in bytes.
const maxPlain = 64

// readUnits reads the body of a booking, {"units":N}, and returns N. A short body is read into a pooled buffer, and its usual
// forms without package object, which knows all others and what is wrong with them.
func readUnits(c echo.Context) (int, error) {
	r := c.Request()
	if n := r.ContentLength; n > 0 && n <= maxPlain && checkType(r.Header) == nil {
		b := takeBuffer()
		defer b.free()
		data := b.bytes[:n]
		if err := readWhole(c, data); err != nil {
			return 0, err
		}
		if units, ok := plainUnits(data); ok {
			return units, nil
		}
		return strictUnits(data)
	}
	var body unitsBody
	err := readBody(c, &body)
	return body.Units, err
}

type unitsBody struct {
	Units int `json:"units"`
}

func strictUnits(data []byte) (int, error) {
	var body unitsBody
	err := object.Decode(data, &body)
	return body.Units, err
}

// plainUnits reads {"units":N} and {"units": N}, N being 0 or a number of 1 to 9 digits, none of them a leading zero.
func plainUnits(data []byte) (units int, ok bool) {
	digits, found := bytes.CutPrefix(data, []byte(`{"units":`))
	digits, closed := bytes.CutSuffix(digits, []byte("}"))
	digits = bytes.TrimPrefix(digits, []byte(" "))
	if !found || !closed || len(digits) == 0 || len(digits) > 9 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		units = 10*units + int(digit-'0')
	}
	return units, true
}
