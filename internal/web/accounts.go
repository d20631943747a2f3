package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
)

// Accounts are the people.
type Accounts interface {
	SignUp(ctx context.Context, email, password, name string) (account.User, error)
	LogIn(ctx context.Context, email, password, address string) (account.User, error)
	ChangePassword(ctx context.Context, id int64, current, wanted, address string) (account.User, error)
	User(ctx context.Context, id int64) (account.User, error)
	Users(ctx context.Context, ids []int64) (map[int64]account.User, error)
}

type userJSON struct {
	ID        int64        `json:"id"`
	Email     string       `json:"email"`
	Name      string       `json:"name"`
	Role      account.Role `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
}

func newUserJSON(u account.User) userJSON {
	return userJSON{u.ID, u.Email, u.Name, u.Role, u.CreatedAt.UTC()}
}

func (s *Server) signUp(c echo.Context) error {
	var body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		Name     string `json:"name"`
	}
	if err := readBody(c, &body); err != nil {
		return err
	}
	user, err := s.deps.Accounts.SignUp(c.Request().Context(), body.Email, body.Password, body.Name)
	if err != nil {
		return err
	}
	return answer(c, http.StatusCreated, newUserJSON(user))
}

func (s *Server) logIn(c echo.Context) error {
	var body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := readBody(c, &body); err != nil {
		return err
	}
	user, err := s.deps.Accounts.LogIn(c.Request().Context(), body.Email, body.Password, c.RealIP())
	if err != nil {
		return err
	}
	token, expires := s.admit(c, user)
	return answer(c, http.StatusOK, struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
		User      userJSON  `json:"user"`
	}{token, expires.UTC(), newUserJSON(user)})
}

func (s *Server) logOut(c echo.Context) error {
	s.setToken(c, "", time.Time{})
	return c.NoContent(http.StatusNoContent)
}

// user returns the account of who is logged in.
func (s *Server) user(c echo.Context, me account.Claims) (account.User, error) {
	user, err := s.deps.Accounts.User(c.Request().Context(), me.UserID)
	if errors.Is(err, account.ErrNotFound) {
		err = errUnauthenticated // the token outlived its user
	}
	return user, err
}

func (s *Server) me(c echo.Context, me account.Claims) error {
	user, err := s.user(c, me)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, newUserJSON(user))
}

// changePassword ends all logins, the caller's too, but gives this browser a new one: who just proved to know the password is
// not sent to log in again. A caller with a bearer token logs in anew.
func (s *Server) changePassword(c echo.Context, me account.Claims) error {
	var body struct {
		Current string `json:"current"`
		New     string `json:"new"`
	}
	if err := readBody(c, &body); err != nil {
		return err
	}
	user, err := s.deps.Accounts.ChangePassword(c.Request().Context(), me.UserID, body.Current, body.New, c.RealIP())
	if errors.Is(err, account.ErrNotFound) {
		return errUnauthenticated
	}
	if err != nil {
		return err
	}
	s.admit(c, user)
	return c.NoContent(http.StatusNoContent)
}
