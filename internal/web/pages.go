package web

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/web/page"
)

const (
	langCookie = "neticket_lang"
	langLife   = 365 * 24 * time.Hour
)

// maxForm is the most that a form may have, in bytes: browsers write every byte of a Korean letter as three.
const maxForm = 3 * maxBody

// pagePolicy lets a page load what is its own, and nothing else; images may be what a form is about to upload.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var pagePolicies = []string{pagePolicy} // the value of the header; shared, and never changed in place

// routePages says what the pages are. Each works without scripts: a form is posted, and the answer leads to a page.
func (s *Server) routePages() {
	pages := s.echo.Group("")
	get(pages, "/", s.homePage)
	get(pages, "/search", s.searchPage)
	get(pages, "/shows/:id", s.showPage)
	pages.POST(bookRoute, s.signedIn(s.book))
	get(pages, bookRoute, s.showOfBooking)
	s.routeAccount(pages)
	s.routeReservations(pages)
	s.routeAdminPages(pages)
	get(pages, page.FilesPath+":file", s.getFile)
	get(pages, page.PostersPath+":file", s.getPoster)
}

// render answers with a page, which is made for one person and one language. Of those that anybody may see a browser may go back to
// what it has, as the key in a form must stay the same then; it keeps nothing of the others.
func (s *Server) render(c echo.Context, status int, name string, content any) error {
	view := s.view(c)
	view.Content = content
	body := takeBuffer()
	defer body.free()
	text := bytes.NewBuffer(body.bytes)
	err := s.site.Write(text, name, view)
	body.bytes = text.Bytes()
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h[echo.HeaderContentSecurityPolicy] = pagePolicies
	if publicPage(name) {
		h[echo.HeaderCacheControl] = []string{"private, no-cache"}
	}
	// With no-referrer a browser would not even tell us where a form was, and old ones send "Origin: null", as of another site.
	h[echo.HeaderReferrerPolicy] = []string{"same-origin"}
	h["Content-Language"] = []string{string(view.Lang)}
	return s.sendPage(c, status, name, body.bytes)
}

// view is what every page shows of its request.
func (s *Server) view(c echo.Context) page.View {
	r := c.Request()
	view := page.View{Lang: s.language(c), URL: pageURL(c), Back: backOf(c), Now: s.now()}
	if me, err := s.identify(r); err == nil {
		view.Me = &page.Me{Admin: me.Role == account.Admin}
	}
	view.Notice = notice(r, view.Me)
	return view
}

// pageURL is the address that a page can be asked for again: that of a form is where the form was. That of a form that books has it as it
// was filled in, with its key, so that it is still the same booking.
func pageURL(c echo.Context) *url.URL {
	r := c.Request()
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	case c.Path() == bookRoute:
		show := &url.URL{Path: strings.TrimSuffix(r.URL.Path, "/book")}
		if values, err := browserForm(c); err == nil {
			show.RawQuery = url.Values{"units": values["units"], "key": values["key"]}.Encode()
		}
		return show
	}
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
		return &url.URL{Path: from.Path, RawQuery: from.RawQuery}
	}
	return &url.URL{Path: "/"}
}

// now is the time that pages count down from: Redis's, or this host's where Redis is silent.
func (s *Server) now() time.Time {
	if _, now, err := s.deps.Levels.Last(nil); err == nil {
		return now
	}
	return s.options.Now().UTC()
}

// language returns the language to answer in: the one asked for, which is remembered; that of the cookie; that of the browser.
func (s *Server) language(c echo.Context) page.Lang {
	r := c.Request()
	if lang, ok := page.ReadLang(r.URL.Query().Get("lang")); ok {
		if c.Get(langCookie) == nil { // each text asks
			c.Set(langCookie, lang)
			c.SetCookie(&http.Cookie{ //nolint:gosec // Secure where the request is; and it is no secret
				Name: langCookie, Value: string(lang), Path: "/", MaxAge: int(langLife.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
				Secure: s.proxies.secure(r),
			})
		}
		return lang
	}
	if cookie, err := r.Cookie(langCookie); err == nil {
		if lang, ok := page.ReadLang(cookie.Value); ok {
			return lang
		}
	}
	return s.site.Accepted(r.Header.Get("Accept-Language"))
}

// text returns a text of the site in a request's language. A key that is not there is a fault of ours, and shows.
func (s *Server) text(c echo.Context, key string, args ...any) string {
	text, err := s.site.Text(s.language(c), key, args...)
	if err != nil {
		return key
	}
	return text
}

// notices are what a page may be told to say, after something was done that led there. The browser names one in the address, so
// nothing else is let through; and none is said where it was not done: anybody may make up a link, and pages are gone back to.
var notices = map[string]struct {
	text  string
	below string // the pages that it leads to
	out   bool   // it is said to who is logged out, and else to who is logged in
}{
	"image_changed":  {text: "admin.done.image_changed", below: adminPages},
	"letter_dropped": {text: "admin.done.letter_dropped", below: adminPages},
	"resynced":       {text: "admin.done.resynced", below: adminPages},
	"show_added":     {text: "admin.done.show_added", below: adminPages},
	"show_changed":   {text: "admin.done.show_changed", below: adminPages},
	"logged_out":     {text: "notice.logged_out", below: "/", out: true},
	"password":       {text: "notice.password", below: reservationsPath},
}

func notice(r *http.Request, me *page.Me) string {
	said, ok := notices[r.URL.Query().Get("done")]
	if !ok || !strings.HasPrefix(r.URL.Path, said.below) || said.out != (me == nil) {
		return ""
	}
	return said.text
}

// wantsPage tells whether a request is a person's: the API and what pages embed are told apart by their paths.
func wantsPage(r *http.Request) bool {
	for _, prefix := range []string{"/api/", "/images/", page.FilesPath, page.PostersPath} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	return strings.Contains(r.Header.Get(echo.HeaderAccept), "text/html")
}

// seeOther leads a browser on after a form, so that a reload does not send the form again.
func seeOther(c echo.Context, to string) error { return c.Redirect(http.StatusSeeOther, to) }

// getFile sends a file that pages link to.
func (s *Server) getFile(c echo.Context) error {
	file, ok := s.site.Files.Get(c.Param("file"))
	if !ok {
		return echo.ErrNotFound
	}
	return s.sendText(c, file.Type, images.CacheControl, strings.TrimSuffix(c.Param("file"), path.Ext(c.Param("file"))), file.Data, file.Gzip)
}

// getPoster draws the poster of a show that has no image.
func (s *Server) getPoster(c echo.Context) error {
	name, _, _ := strings.Cut(c.Param("file"), "-")
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return echo.ErrNotFound
	}
	of, err := s.deps.Shows.Get(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if page.PosterURL(id, of.Title) != page.PostersPath+c.Param("file") {
		return echo.ErrNotFound // of another title
	}
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, images.CacheControl)
	h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	return c.Blob(http.StatusOK, "image/svg+xml", page.Poster(of.Title))
}

// browserForm reads a form that a browser has sent. Fields that a page does not know are let pass: browsers' extensions add some.
func browserForm(c echo.Context) (url.Values, error) {
	r := c.Request()
	mediaType, _, _ := strings.Cut(r.Header.Get(echo.HeaderContentType), ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), echo.MIMEApplicationForm) {
		return nil, errFormType
	}
	r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, maxForm)
	switch err := r.ParseForm(); {
	case err == nil:
		return r.PostForm, nil
	case isTooLarge(err):
		return nil, errTooLarge
	default:
		return nil, malformed("", "syntax", "the form is not written as names and values")
	}
}

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}
