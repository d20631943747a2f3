package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
)

const (
	tokenCookie = "neticket_token"
	adminPages  = "/admin"
	adminAPI    = apiPath + "/admin"
)

// Tokens makes and checks login tokens.
type Tokens interface {
	Issue(user account.User) (token string, expires time.Time)
	Verify(token string) (account.Claims, error)
}

// Revocations knows which tokens no longer hold, without asking anyone.
type Revocations interface {
	Revoked(claims account.Claims) bool
}

// signedIn makes a handler for people who are logged in, and counts their requests.
func (s *Server) signedIn(handle func(c echo.Context, me account.Claims) error) echo.HandlerFunc {
	return inTime(s.untimed(handle))
}

// untimed is signedIn for a handler that bounds its own waits.
func (s *Server) untimed(handle func(c echo.Context, me account.Claims) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		me, err := s.identify(c.Request())
		if err != nil {
			return err
		}
		if err := s.perUser.take(me.UserID); err != nil {
			return err
		}
		return handle(c, me)
	}
}

// guardAdmin lets only admins into everything below the prefixes, paths and methods that do not exist too. It goes by the path,
// so a route that is added there is closed without more ado.
func (s *Server) guardAdmin(c echo.Context) error {
	if !isAdminPath(c.Path()) && !isAdminPath(c.Request().URL.Path) {
		return nil
	}
	me, err := s.identify(c.Request())
	if err == nil && me.Role != account.Admin {
		err = errForbidden
	}
	return err
}

func isAdminPath(path string) bool {
	return path == adminPages || path == adminAPI || strings.HasPrefix(path, adminPages+"/") || strings.HasPrefix(path, adminAPI+"/")
}

// refuseOtherSites refuses requests that change something and that a browser sends for another site, unless they bear a
// token: that one no browser adds by itself. Logging in is refused too, so nobody is logged in to a stranger's account.
func (s *Server) refuseOtherSites(c echo.Context) error {
	if _, ok := bearer(c.Request()); !ok && s.sites.Check(c.Request()) != nil {
		return errOtherSite
	}
	return nil
}

// identify returns who sends a request, or errUnauthenticated.
func (s *Server) identify(r *http.Request) (account.Claims, error) {
	token, ok := bearer(r)
	if !ok {
		cookie, err := r.Cookie(tokenCookie)
		if err != nil {
			return account.Claims{}, errUnauthenticated
		}
		token = cookie.Value
	}
	me, err := s.deps.Tokens.Verify(token)
	if err != nil || s.deps.Revocations.Revoked(me) {
		return account.Claims{}, errUnauthenticated
	}
	return me, nil
}

func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	return token, strings.EqualFold(scheme, "Bearer")
}

// admit logs this browser in as a user.
func (s *Server) admit(c echo.Context, user account.User) (token string, expires time.Time) {
	token, expires = s.deps.Tokens.Issue(user)
	s.setToken(c, token, expires)
	return token, expires
}

// setToken gives the browser its token, or takes it away when token is empty.
func (s *Server) setToken(c echo.Context, token string, expires time.Time) {
	cookie := &http.Cookie{ //nolint:gosec // Secure where the request is: plain HTTP has to work on one machine
		Name: tokenCookie, Value: token, Path: "/", Expires: expires, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.proxies.secure(c.Request()),
	}
	cookie.MaxAge = max(int(time.Until(expires).Seconds()), -1) // which a browser whose clock is wrong obeys, too
	c.SetCookie(cookie)
}
