package web

import "strings"

// isPage tells a page and what belongs to it, which are for people, from the interface, which the document describes.
func isPage(path string) bool {
	return !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/images/")
}
