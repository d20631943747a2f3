package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/web/page"
)

const (
	loginPath  = "/login"
	signupPath = "/signup"
)

func (s *Server) routeAccount(pages *echo.Group) {
	get(pages, loginPath, s.strangersOnly("login"))
	pages.POST(loginPath, inTime(s.logInByForm))
	get(pages, signupPath, s.strangersOnly("signup"))
	pages.POST(signupPath, inTime(s.signUpByForm))
	pages.POST("/logout", s.logOutByForm)
	get(pages, "/password", s.signedIn(s.passwordPage))
	pages.POST("/password", s.signedIn(s.changePasswordByForm))
}

// strangersOnly shows a form to who is not logged in; whoever is goes on.
func (s *Server) strangersOnly(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		if _, err := s.identify(c.Request()); err == nil {
			return seeOther(c, pathHere(c.QueryParam("next")))
		}
		return s.render(c, http.StatusOK, name, page.Account{})
	}
}

func (s *Server) logInByForm(c echo.Context) error {
	values, err := browserForm(c)
	if err != nil {
		return err
	}
	user, err := s.deps.Accounts.LogIn(c.Request().Context(), values.Get("email"), values.Get("password"), c.RealIP())
	if err != nil {
		return s.notAdmitted(c, "login", values, err)
	}
	s.admit(c, user)
	return seeOther(c, pathHere(values.Get("next")))
}

func (s *Server) signUpByForm(c echo.Context) error {
	values, err := browserForm(c)
	if err != nil {
		return err
	}
	user, err := s.deps.Accounts.SignUp(c.Request().Context(), values.Get("email"), values.Get("password"), values.Get("name"))
	if err != nil {
		return s.notAdmitted(c, "signup", values, err)
	}
	s.admit(c, user)
	return seeOther(c, pathHere(values.Get("next")))
}

func (s *Server) logOutByForm(c echo.Context) error {
	s.setToken(c, "", time.Time{})
	return seeOther(c, "/?done=logged_out")
}

// passwordPage tells the email address, too: password managers ask whose password it is.
func (s *Server) passwordPage(c echo.Context, me account.Claims) error {
	user, err := s.user(c, me)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "password", page.Account{Email: user.Email})
}

func (s *Server) changePasswordByForm(c echo.Context, me account.Claims) error {
	values, err := browserForm(c)
	if err != nil {
		return err
	}
	user, err := s.deps.Accounts.ChangePassword(c.Request().Context(), me.UserID, values.Get("current"), values.Get("new"), c.RealIP())
	if errors.Is(err, account.ErrNotFound) {
		return errUnauthenticated
	}
	if err != nil {
		return s.notAdmitted(c, "password", values, err)
	}
	s.admit(c, user)
	return seeOther(c, reservationsPath+"?done=password")
}

// notAdmitted shows a form of an account again, with what was typed but for passwords, and what is wrong beside its field.
func (s *Server) notAdmitted(c echo.Context, name string, values url.Values, err error) error {
	key, ok := s.refusal(c, err, name+".", "account.")
	if !ok {
		return err
	}
	p := problemOf(err)
	form := page.Account{
		Email: values.Get("email"), Name: values.Get("name"), Faults: map[string]string{}, Again: seconds(p.retryAfter),
		Taken: p.Code == "email_taken",
	}
	for _, fault := range p.Errors {
		form.Faults[fault.Field] = s.faultText(c, fault)
	}
	field := map[string]string{"login.bad_credentials": "password", "password.bad_credentials": "current", "signup.email_taken": "email"}[key]
	if field == "" {
		form.Fault = s.text(c, key)
	} else {
		form.Faults[field] = s.text(c, key)
	}
	return s.renderRefusal(c, err, name, form)
}
