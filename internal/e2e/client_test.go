package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

// reply is an answer of the API.
type reply struct {
	Status int
	Header http.Header
	Body   map[string]any
}

func (r reply) code() string   { s, _ := r.Body["code"].(string); return s }
func (r reply) id() string     { s, _ := r.Body["id"].(string); return s }
func (r reply) status() string { s, _ := r.Body["status"].(string); return s }

// caller speaks to the API as one person.
type caller struct {
	url, token string
	http       *http.Client
}

// as returns a caller with its own connections.
func (d *deployment) as(t testing.TB, user int64) caller {
	t.Helper()
	return caller{url: d.url, token: token(t, user), http: &http.Client{Transport: newTransport(4), Timeout: 20 * time.Second}}
}

func newTransport(conns int) *http.Transport {
	return &http.Transport{MaxIdleConns: conns, MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns}
}

// errRefused says that a request was not taken at all.
var errRefused = errors.New("the connection was not accepted")

// do sends a request; headers are "Name: value".
func (c caller) do(method, path, body string, headers ...string) (reply, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	// A server that stops resets what still waits to be accepted: nothing of that was ever read.
	accepted := false
	trace := &httptrace.ClientTrace{
		GotConn:              func(conn httptrace.GotConnInfo) { accepted = conn.Reused },
		GotFirstResponseByte: func() { accepted = true },
	}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), method, c.url+path, reader)
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := c.http.Do(request)
	if err != nil && !accepted && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)) {
		return reply{}, errRefused
	}
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{Status: response.StatusCode, Header: response.Header}
	if len(bytes.TrimSpace(data)) > 0 {
		if err := json.Unmarshal(data, &r.Body); err != nil {
			return r, fmt.Errorf("%s %s: not JSON: %.200s", method, path, data)
		}
	}
	checkDocumented(apidoctest.Exchange{Request: request, Sent: []byte(body), Status: r.Status, Header: r.Header, Body: data})
	return r, nil
}

// must is do for requests that are answered, whatever the status.
func (c caller) must(t testing.TB, method, path, body string, headers ...string) reply {
	t.Helper()
	r, err := c.do(method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// admin returns an admin at a process.
func admin(t testing.TB, at *process) caller {
	t.Helper()
	return caller{url: at.url, token: adminToken(t), http: &http.Client{Timeout: time.Minute}} // a resync may take half of it
}

// resync asks for a show's stock to be set anew; query is such as "?dry_run=true".
func (c caller) resync(show int64, query string) (reply, error) {
	return c.do(http.MethodPost, fmt.Sprintf("/api/v1/admin/shows/%d/stock/resync%s", show, query), "")
}

// wantLeft waits until customers are told how many units are left: what they see may be half a second old.
func (d *deployment) wantLeft(t *testing.T, show int64, units int) {
	t.Helper()
	nobody := caller{url: d.url, http: http.DefaultClient}
	servertest.Eventually(t, 5*time.Second, fmt.Sprintf("%d units of show %d are left", units, show), func() bool {
		return nobody.must(t, "GET", fmt.Sprintf("/api/v1/shows/%d", show), "").Body["left"] == float64(units)
	})
}

func (c caller) book(show int64, units int, headers ...string) (reply, error) {
	return c.do(http.MethodPost, fmt.Sprintf("/api/v1/shows/%d/reservations", show), fmt.Sprintf(`{"units":%d}`, units), headers...)
}

// rush is many people who book one unit each, over a fixed number of connections.
type rush struct {
	mu       sync.Mutex
	accepted []string       // ids that were answered 202 or 201
	codes    map[string]int // answers by status, or by the code of the problem
}

// run sends requests 1 to n, each for another user, until they are answered or stop is closed. A request that got no answer,
// or a 503, is repeated with the same key, as clients are told to.
func (d *deployment) run(t *testing.T, show int64, n, conns int, stop <-chan struct{}) *rush {
	t.Helper()
	r := &rush{codes: map[string]int{}}
	client := &http.Client{Transport: newTransport(conns), Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var callers sync.WaitGroup
	for range conns {
		callers.Go(func() {
			for user := next.Add(1); user <= int64(n); user = next.Add(1) {
				c := caller{url: d.url, token: token(t, user), http: client}
				for {
					select {
					case <-stop:
						return
					default:
					}
					answer, err := c.book(show, 1, fmt.Sprintf("Idempotency-Key: rush-%d", user))
					r.note(answer, err)
					if err == nil && answer.Status != http.StatusServiceUnavailable {
						break
					}
				}
			}
		})
	}
	callers.Wait()
	return r
}

func (r *rush) note(answer reply, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes[word(answer, err)]++
	if err == nil && answer.code() == "" {
		r.accepted = append(r.accepted, answer.id())
	}
}

// word is what an answer is counted as: the code of its problem, else its status.
func word(answer reply, err error) string {
	switch {
	case errors.Is(err, errRefused):
		return "refused"
	case err != nil:
		return "cut"
	case answer.code() != "":
		return answer.code()
	}
	return fmt.Sprint(answer.Status)
}

// row is what MySQL holds of a reservation.
type row struct {
	status, reason string
	units          int
}

// rows returns a show's reservations by id, once all of its entries are settled.
func (d *deployment) rows(t *testing.T, show int64) map[string]row {
	t.Helper()
	d.Settled(t, 60*time.Second, show)
	return d.reservations(t, show)
}

// reservations returns a show's reservations by id, as they are now.
func (d *deployment) reservations(t *testing.T, show int64) map[string]row {
	t.Helper()
	rows, err := d.DB.Query("SELECT id, status, reason, units FROM reservations WHERE show_id = ?", show)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]row{}
	for rows.Next() {
		var raw []byte
		var r row
		if err := rows.Scan(&raw, &r.status, &r.reason, &r.units); err != nil {
			t.Fatal(err)
		}
		found[uuid.UUID(raw).String()] = r
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// confirmed sums up the confirmed units of rows.
func confirmed(rows map[string]row) int {
	units := 0
	for _, r := range rows {
		if r.status == "confirmed" {
			units += r.units
		}
	}
	return units
}

// ended checks that every accepted id has a row that is confirmed, or rejected for one of the reasons, and returns the
// confirmed units.
func (d *deployment) ended(t *testing.T, show int64, ids []string, reasons ...string) int {
	t.Helper()
	found := d.rows(t, show)
	for _, id := range ids {
		switch r := found[id]; {
		case r.status == "confirmed":
		case r.status == "rejected" && slices.Contains(reasons, r.reason):
		default:
			t.Errorf("accepted reservation %s ended as %+v", id, r)
		}
	}
	return confirmed(found)
}
