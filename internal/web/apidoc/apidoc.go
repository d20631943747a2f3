// Package apidoc owns the description of the HTTP interface: an OpenAPI 3.1 document, written by hand, and the page that shows it to
// people.
//
// It guarantees that the page is made of the document alone, and works without scripts. That the document is true is for the tests of
// package web and of whole systems to tell: see package apidoctest.
package apidoc

import _ "embed"

//go:embed openapi.yaml
var source []byte

// YAML returns the document as it is written. Nobody changes it.
func YAML() []byte { return source }
