package web

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/web/apidoc"
)

// docsPolicy is the Content-Security-Policy of a page that is text alone.
const docsPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// getDocument sends the OpenAPI document.
func (s *Server) getDocument(c echo.Context) error {
	return s.sendText(c, "application/yaml", revalidate, hash(apidoc.YAML()), apidoc.YAML(), nil)
}

// getDocs sends the page that shows the document.
func (s *Server) getDocs(c echo.Context) error {
	page, err := s.docs()
	if err != nil {
		return fmt.Errorf("make the page of the interface: %w", err)
	}
	c.Response().Header().Set(echo.HeaderContentSecurityPolicy, docsPolicy)
	return s.sendText(c, echo.MIMETextHTMLCharsetUTF8, revalidate, hash(page), page, nil)
}
