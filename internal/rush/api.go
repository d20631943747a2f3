package rush

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/show"
)

const (
	knownWithin = 20 * time.Second // an API sees a new show within about a second
	askEvery    = 100 * time.Millisecond
	askTimeout  = 5 * time.Second
	maxShow     = 64 << 10 // bytes of a show in JSON
)

// api is where the buyers book.
type api struct {
	url  string // without a slash at the end
	host string // as it is in the URL
	addr string // host:port
}

// newAPI takes the URL apart; its error says what is wrong with it.
func newAPI(text string) (api, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return api{}, fmt.Errorf("the URL of the API: %w", err)
	case u.Scheme != "http":
		return api{}, fmt.Errorf("the URL of the API must begin with http://, not %q: a rush speaks no TLS, so name the API behind the balancer", text)
	case u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
		return api{}, fmt.Errorf("the URL of the API must be http://host:port alone, not %q", text)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return api{url: "http://" + u.Host, host: u.Host, addr: net.JoinHostPort(u.Hostname(), port)}, nil
}

// CheckURL says what is wrong with the URL of an API.
func CheckURL(text string) error {
	_, err := newAPI(text)
	return err
}

func (api) showPath(id int64) string { return "/api/v1/shows/" + strconv.FormatInt(id, 10) }

// errNotYet says that the API answers, and has not heard of the show.
var errNotYet = errors.New("it does not know the new show yet")

// wait returns when the API has the show and takes the token. An API that belongs to another system is found out here.
func (a api) wait(ctx context.Context, of show.Show, token string) error {
	ctx, cancel := context.WithTimeout(ctx, knownWithin)
	defer cancel()
	for {
		var known struct {
			Title string `json:"title"`
		}
		status, err := a.get(ctx, a.showPath(of.ID), "", &known)
		switch {
		case err == nil && status == http.StatusOK && known.Title != of.Title:
			return fmt.Errorf("the API at %s is another system's: its show %d is %q", a.url, of.ID, known.Title)
		case err == nil && status == http.StatusOK:
			return a.checkToken(ctx, token)
		case err == nil && status == http.StatusNotFound:
			err = errNotYet
		case err == nil:
			err = fmt.Errorf("it answers %d", status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the API at %s to show what is on sale (is it running, and on the same servers?): %w", a.url, err)
		case <-time.After(askEvery):
		}
	}
}

func (a api) checkToken(ctx context.Context, token string) error {
	var me struct{}
	switch status, err := a.get(ctx, "/api/v1/me", token, &me); {
	case err != nil:
		return fmt.Errorf("log in at the API: %w", err)
	case status == http.StatusUnauthorized:
		return fmt.Errorf("the API at %s does not take the buyers' tokens: NETICKET_TOKEN_SECRET must be the one that it has", a.url)
	case status != http.StatusOK:
		return fmt.Errorf("log in at the API: it answers %d", status)
	}
	return nil
}

func (a api) get(ctx context.Context, path, token string, into any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return 0, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return answer.StatusCode, nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxShow)).Decode(into); err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	return answer.StatusCode, nil
}
