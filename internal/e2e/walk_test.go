package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/system/systemtest"
	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

// What many calls have in common.
const (
	hasBody  = ", 400 malformed, 413 too_large, 415 unsupported_media_type"
	forUsers = ", 401 unauthenticated"
	// changes: a browser may send it for another site.
	changes   = ", 403 forbidden"
	forAdmins = ", 401 unauthenticated, 403 forbidden"
)

// What calls about one reservation answer, whether their address names the show or not.
const (
	looks   = "200, 404 not_found, 422 invalid, 503 unavailable" + forUsers
	cancels = "202, 200, 404 not_found, 409 pending, 409 show_started, 409 not_cancellable, 422 invalid, " +
		"503 paused, 503 unloaded, 503 fenced, 503 unknown, 503 unavailable" + forUsers + changes
)

// promises is the interface: every call, and every answer that it has, as its status and, of a problem, the code. Each call may
// answer 429 too_many_requests, too. Not here is what needs more load than a test has: 503 too_many_streams, and busy of images.
func promises() map[string][]string {
	table := map[string]string{
		"POST /api/v1/signup":      "201, 409 email_taken, 422 invalid, 503 busy, 503 unavailable" + hasBody + changes,
		"POST /api/v1/login":       "200, 401 bad_credentials, 429 too_many_attempts, 503 busy, 503 unavailable" + hasBody + changes,
		"POST /api/v1/logout":      "204" + changes,
		"GET /api/v1/me":           "200, 503 unavailable" + forUsers,
		"POST /api/v1/me/password": "204, 401 bad_credentials, 422 invalid, 429 too_many_attempts, 503 unavailable" + hasBody + forUsers + changes,

		"GET /api/v1/shows":        "200, 400 malformed, 422 invalid",
		"GET /api/v1/shows/{id}":   "200, 404 not_found, 503 unavailable",
		"GET /api/v1/stock/stream": "200, 400 malformed, 404 not_found, 422 invalid, 503 unavailable",
		"GET /images/{file}":       "200, 404 not_found",
		"GET /api/openapi.yaml":    "200",
		"GET /docs":                "200",

		"POST /api/v1/shows/{id}/reservations": "202, 201, 200, 404 not_found, 409 sold_out, 409 limit_reached, 409 not_open, 409 closed, " +
			"409 lost, 409 error, 422 key_reused, 422 invalid, 503 busy, 503 paused, 503 unloaded, 503 fenced, 503 unknown, 503 unavailable" +
			hasBody + forUsers + changes,
		"GET /api/v1/reservations": "200, 400 malformed, 422 invalid, 503 unavailable" + forUsers,
		look:                       looks,
		cancel:                     cancels,
		lookOld:                    looks,
		cancelOld:                  cancels,

		"POST /api/v1/admin/shows":           "201, 422 invalid, 503 unavailable" + hasBody + forAdmins,
		"PUT /api/v1/admin/shows/{id}":       "200, 404 not_found, 409 capacity_below_reserved, 409 resync_running, 422 invalid, 503 not_drained, 503 unavailable" + hasBody + forAdmins,
		"PUT /api/v1/admin/shows/{id}/image": "200, 404 not_found, 422 invalid, 503 unavailable" + hasBody + forAdmins,
		"POST /api/v1/admin/shows/{id}/stock/resync": "200, 400 malformed, 404 not_found, 409 resync_running, 413 too_large, 422 invalid, " +
			"503 not_drained, 503 unavailable" + forAdmins,
		"GET /api/v1/admin/stock":                "200, 503 unavailable" + forAdmins,
		"GET /api/v1/admin/dead-letters":         "200, 400 malformed, 422 invalid, 503 unavailable" + forAdmins,
		"DELETE /api/v1/admin/dead-letters/{id}": "204, 404 not_found, 503 unavailable" + forAdmins,
		"GET /api/v1/admin/audit":                "200, 400 malformed, 422 invalid, 503 unavailable" + forAdmins,
	}
	promised := map[string][]string{}
	for call, answers := range table {
		promised[call] = append(strings.Split(answers, ", "), "429 too_many_requests")
	}
	return promised
}

// walk goes through the interface, and notes what was answered.
type walk struct {
	*deployment
	api, limited, troubled *process
	redis, mysql           *systemtest.Proxy // before the troubled one

	mu   sync.Mutex
	seen map[string]map[string]bool // by call
}

func (w *walk) note(call, answer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[call] == nil {
		w.seen[call] = map[string]bool{}
	}
	w.seen[call][answer] = true
}

// TestWalk meets every answer of every call on real processes, and no other.
func TestWalk(t *testing.T) {
	t.Parallel()
	w := &walk{deployment: deploy(t, "NETICKET_TAKE_OVER=1m"), seen: map[string]map[string]bool{}}
	var viaProxies []string
	w.redis, w.mysql, viaProxies = w.proxies(t)
	worker := w.launch(t, "worker")
	w.limited = w.launch(t, "api", "NETICKET_RATE_PER_USER=1", "NETICKET_RATE_PER_ADDRESS=1", "NETICKET_TRUSTED_PROXIES=127.0.0.1")
	w.troubled = w.launch(t, "api", viaProxies...)
	w.api = w.launch(t, "api") // the last one, so that w.url is its
	for _, p := range []*process{worker, w.limited, w.troubled, w.api} {
		p.ready(t)
	}
	t.Run("calls", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"people": w.people, "reading": w.reading, "booking": w.booking, "rejected": w.rejected, "cancel": w.cancelling, "document": w.document, "records": w.records,
			"shows": w.shows, "images": w.images, "stock": w.stock, "paused": w.paused, "everywhere": w.everywhere,
			"limits": w.limits, "trouble": w.trouble, "fence": w.fence, "no worker": w.noWorker,
		} {
			t.Run(name, func(t *testing.T) { t.Parallel(); part(t) })
		}
	})
	promised := promises()
	document, err := apidoctest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range document.Calls() {
		if promised[call] == nil && !strings.HasPrefix(call, "HEAD ") {
			t.Errorf("%s is documented, and not on the walk", call)
		}
	}
	for call, answers := range promised {
		for _, answer := range answers {
			if !w.seen[call][answer] {
				t.Errorf("%s: %s is promised, and was not met", call, answer)
			}
		}
	}
	for call, answers := range w.seen {
		for answer := range answers {
			if !slices.Contains(promised[call], answer) {
				t.Errorf("%s: %s was met, and is not promised", call, answer)
			}
		}
	}
}

// as returns a caller at a process; user 0 is nobody.
func (p *process) as(t testing.TB, user int64) caller {
	t.Helper()
	c := caller{url: p.url, http: &http.Client{Timeout: 20 * time.Second}}
	if user != 0 {
		c.token = token(t, user)
	}
	return c
}

// ticket names a reservation in full, for the calls whose path asks for it.
type ticket struct{ show, id any }

// path returns a call's path for an id, or for a ticket.
func path(call string, id any) string {
	show := any(1)
	if t, ok := id.(ticket); ok {
		show, id = t.show, t.id
	}
	_, path, _ := strings.Cut(call, " ")
	return strings.NewReplacer("{show}", fmt.Sprint(show), "{id}", fmt.Sprint(id), "{file}", fmt.Sprint(id)).Replace(path)
}
