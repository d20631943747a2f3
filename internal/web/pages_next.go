package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"
)

const maxNext = 2000 // bytes of where to go on

// pathHere returns text, where to go after a login, if it is the address of a page here. Else it returns "/": whoever makes up a link
// to a login must not lead people to a site that looks like this one. Browsers take a backslash for a slash, and drop what is no
// character, so "/\evil.test" and "/<tab>/evil.test" lead away, too.
func pathHere(text string) string {
	odd := func(r rune) bool { return r == '\\' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }
	if len(text) > maxNext || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.ContainsFunc(text, odd) {
		return "/"
	}
	to, err := url.Parse(text)
	if err != nil || to.IsAbs() || to.Host != "" || to.Path == loginPath || to.Path == signupPath {
		return "/"
	}
	return text
}

// backOf is where a person who has to log in comes to afterwards: where he was, or where the form was that he sent.
func backOf(c echo.Context) string {
	r := c.Request()
	if at := r.URL.Path; at == loginPath || at == signupPath {
		if r.Method == http.MethodPost {
			return pathHere(r.PostForm.Get("next"))
		}
		return pathHere(r.URL.Query().Get("next"))
	}
	at := pageURL(c)
	query := at.Query()
	if at.Path == loginPath || at.Path == signupPath {
		return pathHere(query.Get("next"))
	}
	query.Del("lang") // the cookie knows by now
	query.Del("done") // which will no longer be news
	at.RawQuery = query.Encode()
	return pathHere(at.String())
}

// againAt is where a page, or the form that was sent, can be had again.
func againAt(c echo.Context) string {
	if at := pageURL(c); at.Path == loginPath || at.Path == signupPath {
		return at.String()
	}
	return backOf(c)
}
