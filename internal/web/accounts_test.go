package web

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
)

func TestChangePassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	const path, body = "/api/v1/me/password", `{"current":"correct horse","new":"battery staple"}`
	old := f.token(7, account.Customer)
	f.people.user = account.User{ID: 7, Role: account.Customer, Generation: 1}
	w := f.do("POST", path, body, old)
	if diff := cmp.Diff([]string{"7", "correct horse", "battery staple"}, f.people.changed); diff != "" || w.Code != 204 || w.Body.Len() > 0 {
		t.Fatalf("%d %s %s", w.Code, w.Body, diff)
	}
	if f.people.address != "192.0.2.1" {
		t.Errorf("the attempt counts for %s", f.people.address)
	}
	f.people.revoked = map[int64]int64{7: 1}
	cookie := strings.Replace(old, "Authorization: Bearer ", "Cookie: neticket_token=", 1)
	for _, header := range []string{old, cookie} {
		wantProblem(t, f.do("GET", "/api/v1/me", "", header), 401, "unauthenticated")
	}
	fresh := w.Result().Cookies()[0]
	if got := f.do("GET", "/api/v1/me", "", "Cookie: "+fresh.Name+"="+fresh.Value); got.Code != 200 {
		t.Errorf("the browser that changed the password: %d %s", got.Code, got.Body)
	}
	if got := f.do("GET", "/api/v1/me", "", f.token(8, account.Customer)); got.Code != 200 {
		t.Errorf("somebody else: %d %s", got.Code, got.Body)
	}

	token := f.token(8, account.Customer)
	var bad invalid.Error
	bad.Add("new", "too_short", "must be longer")
	for code, test := range map[string]struct {
		err    error
		status int
	}{
		"invalid":           {&bad, 422},
		"bad_credentials":   {account.ErrBadCredentials, 401},
		"too_many_attempts": {&account.TooManyAttemptsError{RetryAfter: 2 * time.Second}, 429},
		"unauthenticated":   {account.ErrNotFound, 401},
	} {
		f.people.err = test.err
		w := f.do("POST", path, body, token)
		wantProblem(t, w, test.status, code)
		if len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: a cookie for who changed nothing", code)
		}
	}
	f.people.err, f.people.changed = nil, nil
	wantProblem(t, f.do("POST", path, body), 401, "unauthenticated")
	wantProblem(t, f.do("POST", path, `{"current":"correct horse","password":"x"}`, token), 400, "malformed")
	if f.people.changed != nil {
		t.Errorf("asked for %v", f.people.changed)
	}
}

// The cookie is for TLS alone where the client speaks TLS, be it to us or to a proxy that we trust; a stranger's word does not count.
func TestCookieIsSecure(t *testing.T) {
	t.Parallel()
	proxies := Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}} // httptest's peer
	for name, tt := range map[string]struct {
		options Options
		url     string
		proto   string
		secure  bool
	}{
		"plain":                    {Options{}, "http://example.com", "", false},
		"TLS":                      {Options{}, "https://example.com", "", true},
		"a stranger says so":       {Options{}, "http://example.com", "https", false},
		"a trusted proxy says so":  {proxies, "http://example.com", "https", true},
		"a trusted proxy, plain":   {proxies, "http://example.com", "http", false},
		"a proxy that says little": {proxies, "http://example.com", "", false},
	} {
		f := newFixture(t, tt.options)
		for path, body := range map[string]string{
			"/api/v1/login": `{"email":"a@example.com","password":"long enough"}`, "/api/v1/logout": "",
			"/api/v1/me/password": `{"current":"long enough","new":"longer still"}`,
		} {
			w := f.do("POST", tt.url+path, body, "X-Forwarded-Proto: "+tt.proto, f.token(7, account.Customer))
			cookies := w.Result().Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%s, %s: %d, cookies %v", name, path, w.Code, cookies)
			}
			c := cookies[0]
			if c.Secure != tt.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s, %s: cookie %s", name, path, c.Raw)
			}
			if gone := path == "/api/v1/logout"; gone != (c.MaxAge < 0) || gone != (c.Value == "") || !gone && c.MaxAge > int(time.Hour.Seconds()) {
				t.Errorf("%s, %s: cookie %s", name, path, c.Raw)
			}
		}
	}
}
