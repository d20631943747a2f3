package web

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
)

// page asks for a page in English, as a browser does.
func (f *fixture) page(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	r.Header.Set("Accept-Language", "en")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// postForm sends a form, as a browser does.
func (f *fixture) postForm(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	return f.page("POST", path, form.Encode(), append(headers, "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin")...)
}

func TestLogInByForm(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.people.user = account.User{ID: 7, Role: account.Customer}
	form := url.Values{"email": {"a@example.com"}, "password": {"long enough"}, "next": {"/reservations"}}
	w := f.postForm("/login", form)
	cookies := w.Result().Cookies()
	if w.Code != 303 || w.Header().Get("Location") != "/reservations" || len(cookies) != 1 || cookies[0].Name != tokenCookie {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if f.people.address != "192.0.2.1" {
		t.Errorf("the attempt counts for %s", f.people.address)
	}
	cookie := "Cookie: " + tokenCookie + "=" + cookies[0].Value
	if w := f.page("GET", "/reservations", "", cookie); w.Code != 200 || !strings.Contains(w.Body.String(), "Log out") {
		t.Errorf("my page after the login: %d", w.Code)
	}
	w = f.page("POST", "/logout", "", cookie)
	if cookies := w.Result().Cookies(); w.Code != 303 || w.Header().Get("Location") != "/?done=logged_out" || len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("logout: %d %v", w.Code, w.Header())
	}
	if w := f.page("GET", "/?done=logged_out", ""); !strings.Contains(w.Body.String(), "You are logged out.") || strings.Contains(w.Body.String(), "next=/?done") {
		t.Error("the home page does not tell of the logout, or for ever")
	}
	if w := f.page("POST", "/login", form.Encode(), "Content-Type: text/plain"); w.Code != 415 {
		t.Errorf("a form that is none: %d", w.Code)
	}
	if w := f.postForm("/login", url.Values{"email": {strings.Repeat("a", maxForm)}}); w.Code != 413 {
		t.Errorf("a form without end: %d", w.Code)
	}
}

// What is wrong stands beside its field, in the person's language; what was typed is kept, but for passwords.
func TestFaultsOfAccounts(t *testing.T) {
	t.Parallel()
	bad := func(field, code string) error {
		var e invalid.Error
		e.Add(field, code, "must be otherwise")
		return &e
	}
	for name, test := range map[string]struct {
		path, lang string
		err        error
		status     int
		retryAfter string
		want       []string
	}{
		"wrong":        {"/login", "en", account.ErrBadCredentials, 401, "", []string{`autofocus aria-describedby="password-fault"`, `id="password-fault">Email address or password is wrong.`}},
		"wrong, ko":    {"/login", "ko", account.ErrBadCredentials, 401, "", []string{"이메일 주소나 비밀번호가 맞지 않습니다."}},
		"too many":     {"/login", "en", &account.TooManyAttemptsError{RetryAfter: 1500 * time.Millisecond}, 429, "2", []string{"too many attempts", "try again in 2 seconds"}},
		"too many, ko": {"/login", "ko", &account.TooManyAttemptsError{RetryAfter: time.Second}, 429, "1", []string{"시도가 너무 많았습니다", "1초 뒤에"}},
		"busy":         {"/login", "en", account.ErrBusy, 503, "2", []string{"Nothing was done", `role="alert"`}},
		"MySQL away":   {"/login", "en", errUnavailable, 503, "1", []string{"Our servers do not answer just now"}},
		"a fault":      {"/login", "en", account.ErrInvalidToken, 500, "", []string{"Something went wrong"}},
		"taken":        {"/signup", "en", account.ErrEmailTaken, 409, "", []string{`id="email-fault">There is an account`, `<a href="/login?next=%2Fshows%2F1">Log in instead`, `value="&lt;b&gt;Kim"`}},
		"taken, ko":    {"/signup", "ko", account.ErrEmailTaken, 409, "", []string{"이미 가입된 이메일 주소입니다."}},
		"no name":      {"/signup", "en", bad("name", "required"), 422, "", []string{`id="name-fault">Please enter your name.`, "Please check what is marked"}},
		"no address":   {"/signup", "en", bad("email", "format"), 422, "", []string{`id="email-fault">Please enter an email address`}},
		"short":        {"/signup", "ko", bad("password", "too_short"), 422, "", []string{`id="password-fault">8자 이상`}},
		"sign-up busy": {"/signup", "en", account.ErrBusy, 503, "2", []string{"Nothing was done"}},
		"not current":  {"/password", "en", account.ErrBadCredentials, 401, "", []string{`id="current-fault">This is not your current password.`}},
		"new short":    {"/password", "ko", bad("new", "too_short"), 422, "", []string{`id="new-fault">8자 이상`}},
		"guessing":     {"/password", "en", &account.TooManyAttemptsError{RetryAfter: 3 * time.Second}, 429, "3", []string{"try again in 3 seconds"}},
		"user gone":    {"/password", "en", account.ErrNotFound, 401, "", []string{"You will come back"}},
	} {
		f := withShow(t)
		f.people.err = test.err
		form := url.Values{"email": {`"a"<@example.com`}, "name": {"<b>Kim"}, "password": {"s3cret-typed"}, "current": {"s3cret-typed"}, "new": {"s3cret-typed"}, "next": {"/shows/1"}}
		w := f.postForm(test.path, form, "Accept-Language: "+test.lang, f.token(7, account.Customer))
		body := w.Body.String()
		if w.Code != test.status || w.Header().Get("Retry-After") != test.retryAfter || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if test.status != 500 && test.err != account.ErrNotFound {
			test.want = append(test.want, `value="&#34;a&#34;&lt;@example.com"`)
		}
		for _, want := range test.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %s is not in\n%s", name, want, body)
			}
		}
		if strings.Contains(body, "s3cret") || strings.Contains(body, "<b>Kim") || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: the page has the password or a name as HTML, or logs in", name)
		}
	}
}

// Password managers know these forms by their autocomplete attributes and types; and nothing forbids to paste.
func TestPasswordManagers(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.people.user = account.User{ID: 7, Email: "a@example.com"}
	for path, want := range map[string][]string{
		"/login":    {`type="email" value="" autocomplete="username"`, `type="password" value="" autocomplete="current-password"`},
		"/signup":   {`autocomplete="name"`, `autocomplete="username"`, `type="password" value="" autocomplete="new-password"`},
		"/password": {`value="a@example.com" autocomplete="username" readonly`, `autocomplete="current-password"`, `autocomplete="new-password"`},
	} {
		var headers []string
		if path == "/password" {
			headers = []string{f.token(7, account.Customer)}
		}
		body := f.page("GET", path, "", headers...).Body.String()
		for _, attribute := range want {
			if !strings.Contains(body, attribute) {
				t.Errorf("%s: %s is not in\n%s", path, attribute, body)
			}
		}
		if strings.Contains(body, "onpaste") || strings.Contains(body, "maxlength") {
			t.Errorf("%s: something cuts or refuses what is pasted", path)
		}
	}
}

func TestChangePasswordByForm(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.people.user = account.User{ID: 7, Email: "a@example.com", Generation: 1}
	w := f.postForm("/password", url.Values{"current": {"correct horse"}, "new": {"battery staple"}}, f.token(7, account.Customer))
	if w.Code != 303 || w.Header().Get("Location") != "/reservations?done=password" || strings.Join(f.people.changed, " ") != "7 correct horse battery staple" {
		t.Fatalf("%d %v, asked for %v", w.Code, w.Header(), f.people.changed)
	}
	f.people.revoked = map[int64]int64{7: 1}
	w = f.page("GET", "/reservations?done=password", "", "Cookie: "+tokenCookie+"="+w.Result().Cookies()[0].Value)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Your password is changed.") {
		t.Errorf("the browser that changed it: %d", w.Code)
	}
	f.people.err = account.ErrNotFound
	if w := f.page("GET", "/password", "", f.token(8, account.Customer)); w.Code != 401 {
		t.Errorf("a token that outlived its user: %d", w.Code)
	}
}

// A page says what was done to who has done it alone, whatever a link says.
func TestNoticesAreTrue(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	customer, admin := f.token(7, account.Customer), f.token(1, account.Admin)
	for _, test := range []struct {
		path, as string
		said     bool
	}{
		{"/?done=logged_out", "", true}, {"/?done=logged_out", customer, false}, {"/?done=password", "", false}, {"/?done=password", customer, false},
		{"/reservations?done=password", customer, true}, {"/reservations?done=password", "", false}, {"/shows/1?done=resynced", customer, false},
		{"/admin/stock?done=resynced", admin, true}, {"/?done=nothing", customer, false},
	} {
		w := f.page("GET", test.path, "", test.as)
		if said := strings.Contains(w.Body.String(), `<p class="notice" role="status">`) && !strings.Contains(w.Body.String(), "Please log in."); said != test.said {
			t.Errorf("%s as %.30q says what was done: %v", test.path, test.as, said)
		}
	}
	if w := f.page("GET", "/nothing?lang=ko", ""); len(w.Header().Values("Set-Cookie")) != 1 {
		t.Errorf("cookies: %q", w.Header().Values("Set-Cookie"))
	}
}
