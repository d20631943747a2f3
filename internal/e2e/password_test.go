package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// A stolen token is worth nothing, a second after its owner changed the password, on whatever process it is tried. That costs
// no question to MySQL: the process answers when that is away, too.
func TestPasswordChangeReachesAllProcesses(t *testing.T) {
	t.Parallel()
	server := servertest.MariaDB(t)
	d := deployOn(t, systemtest.Servers{DSN: server.DSN("neticket"), Redis: servertest.Redis(t)})
	here, there := d.start(t, "api"), d.start(t, "api")
	id := d.Show(t, 10, 0)
	as := func(p *process, token string) caller {
		return caller{url: p.url, token: token, http: http.DefaultClient}
	}
	must := func(c caller, status int, method, path, body string) reply {
		t.Helper()
		r, err := c.do(method, path, body)
		if err != nil || r.Status != status {
			t.Fatalf("%s %s: %+v, %v; want %d", method, path, r, err, status)
		}
		return r
	}
	must(as(here, ""), 201, "POST", "/api/v1/signup", `{"email":"kim@example.com","password":"correct horse","name":"Kim"}`)
	logIn := func(p *process, password string) string {
		t.Helper()
		r := must(as(p, ""), 200, "POST", "/api/v1/login", `{"email":"kim@example.com","password":"`+password+`"}`)
		return r.Body["token"].(string)
	}
	stolen, own := logIn(there, "correct horse"), logIn(here, "correct horse")
	must(as(there, stolen), 200, "GET", "/api/v1/me", "")

	changed := must(as(here, own), 204, "POST", "/api/v1/me/password", `{"current":"correct horse","new":"battery staple"}`)
	at := time.Now()
	for _, token := range []string{stolen, own} {
		must(as(here, token), 401, "GET", "/api/v1/me", "")
		servertest.Eventually(t, 10*time.Second, "another process refuses the token", func() bool {
			r, err := as(there, token).do("GET", "/api/v1/me", "")
			return err == nil && r.Status == http.StatusUnauthorized
		})
	}
	t.Logf("refused everywhere after %v", time.Since(at).Round(time.Millisecond))
	cookie, _, _ := strings.Cut(strings.TrimPrefix(changed.Header.Get("Set-Cookie"), "neticket_token="), ";")
	fresh := logIn(there, "battery staple")
	for _, token := range []string{cookie, fresh} {
		must(as(here, token), 200, "GET", "/api/v1/me", "")
		must(as(there, token), 200, "GET", "/api/v1/me", "")
	}

	late := d.start(t, "api") // which was not there when it happened
	must(as(late, stolen), 401, "GET", "/api/v1/me", "")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	book := "/api/v1/shows/" + fmt.Sprint(id) + "/reservations"
	must(as(there, stolen), 401, "POST", book, `{"units":1}`)
	if r, err := as(there, fresh).do("POST", book, `{"units":1}`); err != nil || r.Status == http.StatusUnauthorized {
		t.Errorf("who is logged in, without MySQL: %+v, %v", r, err)
	}
}

// During a rotation of the secret both hold, whichever process issued the token; without the old one, its tokens end.
func TestTokenSecretsRotate(t *testing.T) {
	t.Parallel()
	const next = "another secret of thirty-two bytes for tests"
	d := deploy(t)
	before, during := d.start(t, "api"), d.start(t, "api", "NETICKET_TOKEN_SECRET="+next+","+secret)
	after := d.start(t, "api", "NETICKET_TOKEN_SECRET="+next)
	ask := func(p *process, method, path, body, token string) reply {
		t.Helper()
		r, err := caller{url: p.url, token: token, http: http.DefaultClient}.do(method, path, body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := ask(before, "POST", "/api/v1/signup", `{"email":"kim@example.com","password":"correct horse","name":"Kim"}`, ""); r.Status != 201 {
		t.Fatalf("%+v", r)
	}
	for _, tt := range []struct {
		name                  string
		issues                *process
		before, during, after int
	}{{"before", before, 200, 200, 401}, {"during", during, 401, 200, 200}, {"after", after, 401, 200, 200}} {
		token, _ := ask(tt.issues, "POST", "/api/v1/login", `{"email":"kim@example.com","password":"correct horse"}`, "").Body["token"].(string)
		for process, want := range map[*process]int{before: tt.before, during: tt.during, after: tt.after} {
			if r := ask(process, "GET", "/api/v1/me", "", token); r.Status != want {
				t.Errorf("a token of %s: %+v, want %d", tt.name, r, want)
			}
		}
	}
}
