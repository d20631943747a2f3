package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestFromSignUpToCancel is the way of one customer, and what the servers hold after each step.
func TestFromSignUpToCancel(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 4)
	d.start(t, "api")
	worker := d.start(t, "worker")

	anna := caller{url: d.url, http: http.DefaultClient}
	if r := anna.must(t, "POST", "/api/v1/signup", `{"email":"anna@example.com","password":"correct horse","name":"Anna"}`); r.Status != 201 {
		t.Fatalf("sign up: %+v", r)
	}
	if r := anna.must(t, "POST", "/api/v1/login", `{"email":"anna@example.com","password":"wrong horse"}`); r.Status != 401 || r.code() != "bad_credentials" {
		t.Errorf("login with a wrong password: %+v", r)
	}
	login := anna.must(t, "POST", "/api/v1/login", `{"email":"anna@example.com","password":"correct horse"}`)
	if login.Status != 200 {
		t.Fatalf("login: %+v", login)
	}
	anna.token = login.Body["token"].(string)

	booked, err := anna.book(show, 2, "Idempotency-Key: k1", "Prefer: wait=5")
	if err != nil || booked.Status != 201 || booked.status() != "confirmed" {
		t.Fatalf("book 2 units and wait: %+v, %v", booked, err)
	}
	var units int
	if err := d.DB.QueryRow("SELECT units FROM reservations WHERE HEX(id) = UPPER(REPLACE(?, '-', '')) AND status = 'confirmed'", booked.id()).Scan(&units); err != nil || units != 2 {
		t.Errorf("its row in MySQL: %d units, %v", units, err)
	}
	if r, err := anna.book(show, 2, "Idempotency-Key: k1"); err != nil || r.Status != 200 || r.id() != booked.id() {
		t.Errorf("the same key again: %+v, %v; want 200 and the same id", r, err)
	}
	if r, err := anna.book(show, 3, "Idempotency-Key: k1"); err != nil || r.Status != 422 || r.code() != "key_reused" {
		t.Errorf("the same key with 3 units: %+v, %v", r, err)
	}
	if r, err := anna.book(show, 3, "Idempotency-Key: k2"); err != nil || r.Status != 409 || r.code() != "limit_reached" ||
		fmt.Sprint(r.Body["held"], r.Body["limit"]) != "2 4" {
		t.Errorf("more than the limit: %+v, %v", r, err)
	}

	worker.terminate(t) // so that a reservation stays pending
	pending, err := anna.book(show, 1, "Idempotency-Key: k3")
	if err != nil || pending.Status != 202 || pending.status() != "pending" {
		t.Fatalf("book without a worker: %+v, %v", pending, err)
	}
	where := pending.Header.Get("Location")
	if r := anna.must(t, "GET", where, ""); r.Status != 200 || r.status() != "pending" {
		t.Errorf("a pending one is seen at once: %+v", r)
	}
	if list := anna.must(t, "GET", "/api/v1/reservations", "").Body["reservations"].([]any); len(list) != 2 || list[0].(map[string]any)["status"] != "pending" {
		t.Errorf("in the list, too, newest first: %v", list)
	}
	if r := anna.must(t, "DELETE", where, ""); r.Status != 409 || r.code() != "pending" || r.Header.Get("Retry-After") == "" {
		t.Errorf("a pending one cannot be cancelled yet: %+v", r)
	}
	if r := d.as(t, 999).must(t, "GET", where, ""); r.Status != 404 {
		t.Errorf("nobody else sees it: %+v", r)
	}
	d.start(t, "worker")
	if r := anna.must(t, "GET", where, "", "Prefer: wait=10"); r.status() != "confirmed" {
		t.Errorf("the next worker confirms it: %+v", r)
	}

	if r := anna.must(t, "DELETE", where, "", "Prefer: wait=5"); r.Status != 200 || r.status() != "cancelled" {
		t.Errorf("cancel: %+v", r)
	}
	d.wantLeft(t, show, 8)
	d.sound(t)
}

// TestAdmin adds a show and looks at its stock.
func TestAdmin(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	admin := admin(t, d.start(t, "api"))
	d.start(t, "worker")

	start := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	body := fmt.Sprintf(`{"title":"백조의 호수","venue":"예술의전당","price":120000,"starts_at":%q,"sales_open_at":%q,"capacity":50,"limit_per_user":4}`,
		start, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	made := admin.must(t, "POST", "/api/v1/admin/shows", body)
	if made.Status != 201 || made.Body["state"] != "on_sale" || made.Body["left"] != 50.0 {
		t.Fatalf("create a show: %+v", made)
	}
	show := int64(made.Body["id"].(float64))
	if r, err := d.as(t, 5).book(show, 3, "Prefer: wait=5"); err != nil || r.Status != 201 {
		t.Fatalf("book it: %+v, %v", r, err)
	}
	lines := admin.must(t, "GET", "/api/v1/admin/stock", "").Body["stock"].([]any)
	line := lines[0].(map[string]any)
	if fmt.Sprint(line["show_id"], line["capacity"], line["reserved"], line["left"], line["drift"], line["state"]) != fmt.Sprint(show, 50, 3, 47, 0, "open") {
		t.Errorf("stock: %v", line)
	}
	if r := d.as(t, 5).must(t, "POST", "/api/v1/admin/shows", body); r.Status != 403 {
		t.Errorf("a customer: %+v", r)
	}
	if r := (caller{url: d.url, http: http.DefaultClient}).must(t, "GET", "/api/v1/admin/stock", ""); r.Status != 401 {
		t.Errorf("nobody: %+v", r)
	}
}

// TestBadBookings: each answer names the field, and no unit is taken.
func TestBadBookings(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 0)
	d.start(t, "api")
	customer := d.as(t, 1)
	path := fmt.Sprintf("/api/v1/shows/%d/reservations", show)
	long := ""
	for range 300 {
		long += "k"
	}
	for name, test := range map[string]struct {
		path, body, header string
		status             int
		code, field        string
	}{
		"not JSON":           {path, `units=1`, "", 400, "malformed", ""},
		"unknown field":      {path, `{"units":1,"seat":"A1"}`, "", 400, "malformed", "seat"},
		"0 units":            {path, `{"units":0}`, "", 422, "invalid", "units"},
		"no units":           {path, `{}`, "", 422, "invalid", "units"},
		"-1 units":           {path, `{"units":-1}`, "", 422, "invalid", "units"},
		"1.5 units":          {path, `{"units":1.5}`, "", 400, "malformed", "units"},
		"10^9 units":         {path, `{"units":1000000000}`, "", 422, "invalid", "units"},
		"10^30 units":        {path, `{"units":1000000000000000000000000000000}`, "", 422, "invalid", "units"},
		"a string":           {path, `{"units":"1"}`, "", 400, "malformed", "units"},
		"null":               {path, `{"units":null}`, "", 400, "malformed", "units"},
		"two bodies":         {path, `{"units":1}{"units":1}`, "", 400, "malformed", ""},
		"another type":       {path, `{"units":1}`, "Content-Type: text/plain", 415, "unsupported_media_type", ""},
		"garbage token":      {path, `{"units":1}`, "Authorization: Bearer garbage", 401, "unauthenticated", ""},
		"no token":           {path, `{"units":1}`, "Authorization: ", 401, "unauthenticated", ""},
		"key too long":       {path, `{"units":1}`, "Idempotency-Key: " + long, 422, "invalid", "Idempotency-Key"},
		"key not printable":  {path, `{"units":1}`, "Idempotency-Key: a\u200bb", 422, "invalid", "Idempotency-Key"},
		"key with a tab":     {path, `{"units":1}`, "Idempotency-Key: a\tb", 422, "invalid", "Idempotency-Key"},
		"wait too long":      {path, `{"units":1}`, "Prefer: wait=11", 422, "invalid", "Prefer"},
		"wait not a number":  {path, `{"units":1}`, "Prefer: wait=soon", 422, "invalid", "Prefer"},
		"no such show":       {"/api/v1/shows/999999/reservations", `{"units":1}`, "", 404, "not_found", ""},
		"an id that is none": {"/api/v1/shows/x1/reservations", `{"units":1}`, "", 404, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if test.header != "" {
				headers = append(headers, test.header)
			}
			r := customer.must(t, "POST", test.path, test.body, headers...)
			if r.Status != test.status || r.code() != test.code || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%d %s %s; want %d %s, a problem", r.Status, r.code(), r.Header.Get("Content-Type"), test.status, test.code)
			}
			field := ""
			if faults, ok := r.Body["errors"].([]any); ok {
				field = faults[0].(map[string]any)["field"].(string)
			}
			if field != test.field {
				t.Errorf("names field %q, want %q: %v", field, test.field, r.Body)
			}
		})
	}
	if r := customer.must(t, "GET", fmt.Sprintf("/api/v1/shows/%d", show), ""); r.Body["left"] != 10.0 {
		t.Errorf("units were taken: %+v", r)
	}
}
