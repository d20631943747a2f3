package page

import (
	"net/url"
	"strings"
)

// The addresses that pages link to. That of a booking is ReservationPath.

func showPath(id int64) string { return "/shows/" + digits(id) }

func adminShowPath(id int64) string { return "/admin/shows/" + digits(id) }

func resyncPath(id int64) string { return "/admin/stock/" + digits(id) + "/resync" }

// withNext adds where to go after a login.
func withNext(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?next=" + query(next)
}

// query escapes a value for the query of a URL: all but what RFC 3986 calls unreserved. url.QueryEscape would write a space as "+",
// which only forms read back as a space.
func query(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// switchLang returns the address of a page in another language. It stays on this site: a path such as //evil.test, by itself, is the
// address of another one.
func switchLang(page *url.URL, to Lang) string {
	query := page.Query()
	query.Set("lang", string(to))
	return (&url.URL{Path: "/" + strings.TrimLeft(page.Path, "/"), RawQuery: query.Encode()}).String()
}

// inWidth returns the address of an image in another of its widths.
func inWidth(image string, width int) string {
	at := strings.LastIndexByte(image, '-')
	if at < 0 {
		return image
	}
	return image[:at+1] + digits(width) + ".jpg"
}

// srcset offers an image in its three widths.
func srcset(image string) string {
	return inWidth(image, 400) + " 400w, " + image + " 800w, " + inWidth(image, 1600) + " 1600w"
}
