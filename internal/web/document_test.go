package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/apidoc"
	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

// isPage tells a page and what belongs to it, which are for people, from the interface, which the document describes.
func isPage(path string) bool {
	return !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/images/")
}

func theDocument(t *testing.T) *apidoctest.Checker {
	t.Helper()
	c, err := apidoctest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// calls are the routes of the interface, spelled as in the document.
func calls(f *fixture) (calls []string) {
	for _, route := range f.echo.Routes() {
		if !isPage(route.Path) {
			parts := strings.Split(route.Path, "/")
			for i, part := range parts {
				if name, ok := strings.CutPrefix(part, ":"); ok {
					parts[i] = "{" + name + "}"
				}
			}
			calls = append(calls, route.Method+" "+strings.Join(parts, "/"))
		}
	}
	slices.Sort(calls)
	return calls
}

func TestRoutesAreDocumented(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	documented := theDocument(t).Calls()
	slices.Sort(documented)
	if diff := cmp.Diff(documented, calls(f)); diff != "" {
		t.Errorf("the document and the routes differ (-document +routes):\n%s", diff)
	}

	f.echo.PATCH("/api/v1/forgotten/:id", func(echo.Context) error { return nil })
	if got := calls(f); !slices.Contains(got, "PATCH /api/v1/forgotten/{id}") || cmp.Equal(documented, got) {
		t.Errorf("a route that was forgotten is not found among %v", got)
	}
}

// The control of every test that sends something: what is not as documented is found, unless the test has added a route.
func TestUndocumentedIsFound(t *testing.T) {
	t.Parallel()
	checker, err := apidoctest.New(apidoc.YAML())
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, Options{})
	var fault error
	f.document = documented(checker, f.Server, func(err error) { fault = err })
	token := f.token(7, account.Customer)
	if f.do("GET", "/api/v1/me", "", token); fault != nil {
		t.Error(fault)
	}
	f.people.user.Role = "king"
	if f.do("GET", "/api/v1/me", "", token); fault == nil || !strings.Contains(fault.Error(), "/role") {
		t.Errorf("a role that nobody described: %v", fault)
	}
	fault = nil
	f.echo.GET("/api/v1/mine", func(echo.Context) error { return nil })
	if f.do("GET", "/api/v1/mine", ""); fault != nil {
		t.Error(fault)
	}
}

// codesInSource returns the codes that this package gives to problem, all of which are written down where it is called, but for the
// reasons of rejected bookings.
func codesInSource(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at, ok := map[string]int{"problem": 1, "settingRight": 0}[calledName(call)]
			if !ok {
				return true
			}
			switch code := call.Args[at].(type) {
			case *ast.BasicLit:
				codes[strings.Trim(code.Value, `"`)] = true
			case *ast.Ident: // a constant, or what settingRight was given
				if code.Name == "codeInternal" {
					codes[codeInternal] = true
				} else if code.Name != "code" {
					t.Errorf("%s: what is %s?", name, code.Name)
				}
			case *ast.CallExpr: // string(rejected.reason)
				for _, reason := range []booking.Reason{booking.SoldOut, booking.LimitReached, booking.Lost, booking.Failed} {
					codes[string(reason)] = true
				}
			default:
				t.Errorf("%s: a code that cannot be read", name)
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(codes))
}

func calledName(call *ast.CallExpr) string {
	if name, ok := call.Fun.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func TestCodesAreDocumented(t *testing.T) {
	t.Parallel()
	all, described := theDocument(t).Codes()
	slices.Sort(all)
	if diff := cmp.Diff(codesInSource(t), all); diff != "" || len(all) < 30 {
		t.Errorf("%d codes; the source and the document differ (-source +document):\n%s", len(all), diff)
	}
	described = append(described, "method_not_allowed") // of no call
	slices.Sort(described)
	if diff := cmp.Diff(all, slices.Compact(described)); diff != "" {
		t.Errorf("the list of codes and those of the calls differ (-list +calls):\n%s", diff)
	}
}

// What goes through no caller of the suite.
func TestStreamedEventsAreDocumented(t *testing.T) {
	t.Parallel()
	c := theDocument(t)
	for _, state := range show.States() {
		data := strings.TrimPrefix(string(newEvent(1, state, stock.Level{Left: 5, AsOf: noon}).data), "data: ")
		if err := c.Value("StockEvent", []byte(data)); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
	if c.Value("StockEvent", []byte(`{"show_id":1,"left":5,"state":"gone","as_of":"2026-05-03T12:00:00Z"}`)) == nil {
		t.Error("an event of no state")
	}
}
