package e2e

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// line is a line of the table of the interface: who calls what in which situation, and what is promised.
type line struct {
	situation string
	as        caller
	call      string // of promises, with a query if there is one
	id        any    // for {id}, or a ticket
	body      string
	headers   string // "Name: value", and more behind line breaks
	want      string // the status and, of a problem, the code
	// holds is what else is promised: a header (Location), a field (opens_at), its value (left=1, user.role=admin), or that a fault of
	// a field is named (errors=units).
	holds string
}

// ask sends the requests of lines one after the other, and returns the last answer.
func (w *walk) ask(t *testing.T, lines ...line) (last reply) {
	t.Helper()
	for _, r := range lines {
		last = r.send(t)
		w.check(t, r, last)
	}
	return last
}

// until sends the request of a line until it is answered as wanted.
func (w *walk) until(t *testing.T, r line) {
	t.Helper()
	var last reply
	servertest.Eventually(t, 20*time.Second, r.call+", "+r.situation+": "+r.want, func() bool {
		var err error
		last, err = r.try()
		return err == nil && answerOf(last) == r.want
	})
	w.check(t, r, last)
}

func (r line) send(t *testing.T) reply {
	t.Helper()
	got, err := r.try()
	if err != nil {
		t.Fatalf("%.100s, %s: %v", r.call, r.situation, err)
	}
	return got
}

func (r line) try() (reply, error) {
	method, _, _ := strings.Cut(r.call, " ")
	var headers []string
	if r.headers != "" {
		headers = strings.Split(r.headers, "\n")
	}
	return r.as.do(method, path(r.call, r.id), r.body, headers...)
}

// check holds an answer against its line, and notes it.
func (w *walk) check(t *testing.T, r line, got reply) {
	t.Helper()
	if r.check(t, got) {
		call, _, _ := strings.Cut(r.call, "?")
		w.note(call, r.want)
	}
}

func (r line) check(t *testing.T, got reply) (ok bool) {
	t.Helper()
	if answerOf(got) != r.want {
		t.Errorf("%.100s, %s: got %s, want %s: %v", r.call, r.situation, answerOf(got), r.want, got.Body)
		return false
	}
	for fault := range faults(got, r.holds) {
		t.Errorf("%.100s, %s: %s: %v %v", r.call, r.situation, fault, got.Header, got.Body)
	}
	return true
}

// answerOf is an answer's status and, of a problem, its code.
func answerOf(r reply) string { return strings.TrimSpace(strconv.Itoa(r.Status) + " " + r.code()) }

// faults yields what an answer lacks of what holds for all, and of holds.
func faults(r reply, holds string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, held := range append(strings.Fields(holds), common(r)...) {
			name, value, exact := strings.Cut(held, "=")
			switch {
			case name == "errors":
				named := func(fault any) bool { return field(fault, "field") == value }
				if list, _ := r.Body["errors"].([]any); !slices.ContainsFunc(list, named) && !yield("no fault of "+value) {
					return
				}
			case name[0] >= 'A' && name[0] <= 'Z': // a header
				if got := r.Header.Get(name); (got == "" || exact && got != value) && !yield(name+" is "+strconv.Quote(got)) {
					return
				}
			default:
				if got := field(r.Body, name); (got == nil || exact && fmt.Sprint(got) != value) && !yield(fmt.Sprintf("%s is %v", name, got)) {
					return
				}
			}
		}
	}
}

// common is what holds of every answer with its status.
func common(r reply) []string {
	held := []string{"X-Request-Id", "X-Content-Type-Options=nosniff", "Cache-Control=no-store"}
	switch {
	case r.code() != "" || r.Status >= 400:
		held = append(held, "Content-Type=application/problem+json", "title", "detail", "type=/problems/"+r.code(),
			"status="+strconv.Itoa(r.Status), "request_id="+r.Header.Get("X-Request-Id"))
	case r.Status != http.StatusNoContent:
		held = append(held, "Content-Type=application/json")
	}
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if err != nil || seconds < 1 || seconds > 3600 {
			held = append(held, "Retry-After=seconds")
		}
	case http.StatusUnauthorized:
		held = append(held, "Www-Authenticate")
	case http.StatusMethodNotAllowed:
		held = append(held, "Allow")
	case http.StatusUnprocessableEntity:
		if r.code() == "invalid" {
			held = append(held, "errors.0.field", "errors.0.code", "errors.0.message")
		}
	}
	return held
}

// field returns what stands in a JSON value under a name such as user.role or errors.0.code, or nil.
func field(value any, name string) any {
	for part := range strings.SplitSeq(name, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// The fields that the interface describes, in the order of the alphabet.
const (
	userFields = "created_at email id name role"
	showFields = "capacity description id image_alt image_url left limit_per_user price sales_close_at sales_open_at server_time " +
		"starts_at state time_zone title venue"
	reservationFields = "booked_at cancellable cancelled_at confirmed_at id number price_total reason show status units"
	bookedShowFields  = "id image_url starts_at title venue"
	stockFields       = "audited_at capacity drift epoch left pending reserved show_id snapshot state title"
	resyncFields      = "after before drift dry_run epoch"
)

// wantFields checks that an object has these fields, and no others.
func wantFields(t *testing.T, what string, value any, want string) {
	t.Helper()
	object, _ := value.(map[string]any)
	if got := strings.Join(slices.Sorted(maps.Keys(object)), " "); got != want {
		t.Errorf("%s has the fields %s, want %s", what, got, want)
	}
}
