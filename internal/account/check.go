package account

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/neticket/neticket/internal/invalid"
)

const (
	maxEmailBytes    = 254 // RFC 5321, and the column
	minPassword      = 8   // characters, as NIST SP 800-63B asks
	maxPassword      = 200 // characters
	maxPasswordBytes = 1024
	maxName          = 100 // characters, and the column
)

// check brings email and name to their stored form and returns an *invalid.Error with every fault, or nil.
func (u *User) check(password string) error {
	var bad invalid.Error
	var ok bool
	if u.Email, ok = normalEmail(u.Email); !ok {
		bad.Add("email", "format", fmt.Sprintf("must be an email address of at most %d bytes, such as kim@example.com", maxEmailBytes))
	}
	checkPassword(&bad, "password", password)
	u.Name = bad.Text("name", u.Name, 1, maxName, "")
	if u.Role != Customer && u.Role != Admin {
		bad.Add("role", "unknown", "must be customer or admin")
	}
	return bad.OrNil()
}

// checkPassword adds what is wrong with a password that somebody wants to have, under the name of the field that it came in.
func checkPassword(bad *invalid.Error, field, password string) {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		bad.Add(field, "too_short", fmt.Sprintf("must have at least %d characters", minPassword))
	case n > maxPassword || len(password) > maxPasswordBytes:
		bad.Add(field, "too_long", fmt.Sprintf("must have at most %d characters", maxPassword))
	}
}

// normalEmail returns a bare address, trimmed and in lower case; ok says whether it is one.
func normalEmail(text string) (email string, ok bool) {
	text = strings.TrimSpace(text)
	email = strings.ToLower(text) // which would mend what is not UTF-8
	if len(email) > maxEmailBytes || !invalid.Plain(text, "") {
		return "", false
	}
	parsed, err := mail.ParseAddress(email)
	return email, err == nil && parsed.Address == email
}
