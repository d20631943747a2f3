package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

// fixture is a server over people, shows, levels, a box office and a back office that a test sets as it likes. Unless options
// say else it is noon.
type fixture struct {
	*Server
	people   *people
	shelf    *shelf
	box      *box
	back     *back
	gallery  *gallery
	ledger   *ledger
	graves   *graves
	log      *logBuffer
	registry *prometheus.Registry
	signer   *account.Signer

	document func(apidoctest.Exchange) // fails the test where an exchange is not as documented; nil in benchmarks and fuzz targets
}

const ourSecret = "a secret of thirty-two bytes, ours"

func newFixture(t testing.TB, options Options) *fixture {
	t.Helper()
	if options.Now == nil {
		options.Now = func() time.Time { return noon }
	}
	signer, err := account.NewSigner([][]byte{[]byte(ourSecret)}, time.Hour, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		people: &people{}, shelf: &shelf{now: noon}, box: &box{}, back: &back{}, gallery: &gallery{}, ledger: &ledger{}, graves: &graves{},
		log: &logBuffer{}, registry: prometheus.NewRegistry(), signer: signer,
	}
	f.people.user = account.User{ID: 7, Role: account.Customer}
	f.Server = New(Dependencies{
		Accounts: f.people, Tokens: signer, Revocations: f.people, Shows: f.shelf, Levels: f.shelf, BoxOffice: f.box, Reservations: f.box, BackOffice: f.back,
		Images: f.gallery, AuditLog: f.ledger, DeadLetters: f.graves,
	}, options, slog.New(slog.NewTextHandler(f.log, nil)), f.registry)
	if t, ok := t.(*testing.T); ok {
		f.document = documented(theDocument(t), f.Server, func(fault error) { t.Error(fault) })
	}
	return f
}

// documented returns what holds exchanges with s against a document, but for those of a test that has added routes.
func documented(by *apidoctest.Checker, s *Server, report func(error)) func(apidoctest.Exchange) {
	routes := len(s.echo.Routes())
	return func(e apidoctest.Exchange) {
		if isPage(e.Request.URL.Path) || len(s.echo.Routes()) > routes {
			return
		}
		if err := by.Check(e); err != nil {
			report(err)
		}
	}
}

// do sends a request with the headers given as "Name: value" and returns the answer.
func (f *fixture) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	return f.serve(r, body)
}

// serve sends a request with this body, and holds both sides against the document.
func (f *fixture) serve(r *http.Request, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if f.document == nil {
		f.ServeHTTP(w, r)
		return w
	}
	sent := r.Clone(r.Context()) // a server may change its headers
	f.ServeHTTP(w, r)
	f.document(apidoctest.Exchange{Request: sent, Sent: []byte(body), Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()})
	return w
}

// token returns the header that logs a user in.
func (f *fixture) token(id int64, role account.Role) string {
	token, _ := f.signer.Issue(account.User{ID: id, Role: role})
	return "Authorization: Bearer " + token
}

// decode reads a JSON answer, and fails the test when it has members that T does not.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return v
}

// wantProblem checks an answer's status and code, and that it is a whole problem document.
func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code string) Problem {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("got content type %q", got)
	}
	p := decode[Problem](t, w)
	if w.Code != status || p.Status != status || p.Code != code {
		t.Errorf("got %d %d %s, want %d %s", w.Code, p.Status, p.Code, status, code)
	}
	if p.Type != "/problems/"+code || p.Title == "" || p.Detail == "" || p.RequestID != w.Header().Get("X-Request-Id") {
		t.Errorf("incomplete problem: %+v", p)
	}
	return p
}

// people answers what it is told to.
type people struct {
	user    account.User
	err     error
	address string          // of the last login or change
	changed []string        // what the last change was asked with
	revoked map[int64]int64 // the generations that hold
}

func (p *people) SignUp(_ context.Context, email, _, name string) (account.User, error) {
	return account.User{ID: 7, Email: email, Name: name, Role: account.Customer, CreatedAt: noon}, p.err
}

func (p *people) LogIn(_ context.Context, _, _, address string) (account.User, error) {
	p.address = address
	return p.user, p.err
}

func (p *people) ChangePassword(_ context.Context, id int64, current, wanted, address string) (account.User, error) {
	p.changed, p.address = []string{fmt.Sprint(id), current, wanted}, address
	return p.user, p.err
}

func (p *people) Revoked(c account.Claims) bool { return c.Generation < p.revoked[c.UserID] }

func (p *people) Users(_ context.Context, ids []int64) (map[int64]account.User, error) {
	users := map[int64]account.User{}
	if slices.Contains(ids, p.user.ID) {
		users[p.user.ID] = p.user
	}
	return users, p.err
}

func (p *people) User(context.Context, int64) (account.User, error) { return p.user, p.err }

var noon = time.Date(2026, 5, 3, 12, 0, 0, 0, time.UTC)

// shelf holds shows with their levels.
type shelf struct {
	shows     []*show.Show // by start
	levels    map[int64]stock.Level
	now       time.Time
	showsErr  error
	missing   error // of a show that is not here; nil: show.ErrNotFound
	levelsErr error
	panics    bool

	mu       sync.Mutex // of levels, now and followed, once requests run beside the test
	followed []int64
	polled   chan struct{}
}

// put adds a show that starts so long after noon, its sale opening and closing relative to noon.
func (s *shelf) put(id int64, opens, closes, starts time.Duration, level stock.Level) {
	s.shows = append(s.shows, &show.Show{
		ID: id, Title: "Swan Lake", Venue: "Seoul Arts Center", Price: 50_000, TimeZone: "Asia/Seoul",
		SalesOpenAt: noon.Add(opens), SalesCloseAt: noon.Add(closes), StartsAt: noon.Add(starts),
	})
	slices.SortFunc(s.shows, func(a, b *show.Show) int { return compareShows(a, b.StartsAt, b.ID) })
	if s.levels == nil {
		s.levels = map[int64]stock.Level{}
	}
	level.ShowID = id
	s.levels[id] = level
}

func (s *shelf) Get(_ context.Context, id int64) (show.Show, error) {
	if s.panics {
		panic("the shelf fell over")
	}
	for _, found := range s.shows {
		if found.ID == id && s.showsErr == nil {
			return *found, nil
		}
	}
	if s.showsErr != nil {
		return show.Show{}, s.showsErr
	}
	return show.Show{}, cmp.Or(s.missing, show.ErrNotFound)
}

func compareShows(a *show.Show, startsAt time.Time, id int64) int {
	return cmp.Or(a.StartsAt.Compare(startsAt), cmp.Compare(a.ID, id))
}

// Find finds words as they are written, and shows of every state, which is more than is asked for.
func (s *shelf) Find(q show.Search) (iter.Seq[*show.Show], error) {
	return func(yield func(*show.Show) bool) {
		for _, found := range s.shows {
			lacks := func(word string) bool { return !strings.Contains(strings.ToLower(found.Title+" "+found.Venue), word) }
			if compareShows(found, q.StartsAt, q.ID) > 0 && !slices.ContainsFunc(q.Words, lacks) && !yield(found) {
				return
			}
		}
	}, s.showsErr
}

func (s *shelf) Level(_ context.Context, id int64) (stock.Level, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	level, ok := s.levels[id]
	if s.levelsErr == nil && !ok {
		return stock.Level{}, time.Time{}, stock.ErrNoShow
	}
	return level, s.now, s.levelsErr
}

func (s *shelf) Last(shows []int64) ([]stock.Level, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var levels []stock.Level
	for _, id := range shows {
		if level, ok := s.levels[id]; ok {
			levels = append(levels, level)
		}
	}
	return levels, s.now, s.levelsErr
}

func (s *shelf) Follow(shows ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followed = append(s.followed, shows...)
}

func (s *shelf) Polled() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polled == nil {
		s.polled = make(chan struct{})
	}
	return s.polled
}

// sell sets the units left of a show, as a poll does.
func (s *shelf) sell(id int64, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	level := s.levels[id]
	level.Left, level.AsOf = left, s.now
	s.levels[id] = level
	if s.polled != nil {
		close(s.polled)
		s.polled = nil
	}
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(strings.Lines(b.text.String()))
}

// samples returns the values of a counter by its labels' values, joined by spaces in the order of their names.
func (f *fixture) samples(t *testing.T, name string) map[string]float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			values[strings.Join(labels, " ")] = metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	maps.DeleteFunc(values, func(_ string, v float64) bool { return v == 0 })
	return values
}

var _ http.Handler = (*Server)(nil)
