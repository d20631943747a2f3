package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/showlist"
)

// TestWhatAnAdminDid follows an admin's day through the API: each thing that he did is told once, with who he is and where he was. So
// is what the tool did, and all of it as the document says.
func TestWhatAnAdminDid(t *testing.T) {
	t.Parallel()
	d := deploy(t, "NETICKET_TRUSTED_PROXIES=127.0.0.0/8")
	accounts := account.New(d.DB, d.Log, time.Now)
	person, err := accounts.Create(t.Context(), "boss@example.com", "battery staple", "이순신", account.Admin, d.NoteUser("user.create_admin"))
	if err != nil {
		t.Fatal(err)
	}
	api := d.start(t, "api")
	d.start(t, "worker")
	nobody := caller{url: api.url, http: http.DefaultClient}
	login := nobody.must(t, "POST", "/api/v1/login", `{"email":"boss@example.com","password":"battery staple"}`)
	boss := caller{url: api.url, http: &http.Client{Timeout: time.Minute}, token: fmt.Sprint(login.Body["token"])}
	n := 0
	do := func(status int, method, path, body string, headers ...string) reply {
		t.Helper()
		n++
		r := boss.must(t, method, path, body, append(headers, "X-Forwarded-For: 203.0.113.9", fmt.Sprintf("X-Request-Id: r-%d", n))...)
		if r.Status != status {
			t.Errorf("%s %s: %+v, want %d", method, path, r, status)
		}
		return r
	}

	now := time.Now()
	p := poster{"백조의 호수", "Hall", now.Add(2 * time.Hour), now.Add(-time.Hour), now.Add(time.Hour), 10, 0}
	asBody := func() string {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	show := fmt.Sprint(do(201, "POST", "/api/v1/admin/shows", asBody()).Body["id"])
	path := "/api/v1/admin/shows/" + show
	p.Title = "Giselle"
	do(200, "PUT", path, asBody())
	p.Capacity = 20
	do(200, "PUT", path, asBody())
	p.Capacity = 0
	do(422, "PUT", path, asBody())
	upload := photo(t, 64, 48, 200)
	do(200, "PUT", path+"/image", upload, "Content-Type: image/jpeg")
	do(200, "PUT", path+"/image", upload, "Content-Type: image/jpeg") // which it has already
	do(422, "PUT", path+"/image", upload[:100], "Content-Type: image/jpeg")
	do(404, "PUT", "/api/v1/admin/shows/999/image", upload, "Content-Type: image/jpeg")
	do(200, "POST", path+"/stock/resync?dry_run=true", "")
	do(200, "POST", path+"/stock/resync", "")

	letter := d.poison(t, boss)
	do(404, "DELETE", "/api/v1/admin/dead-letters/"+letter+"9", "")
	do(204, "DELETE", "/api/v1/admin/dead-letters/"+letter, "")
	do(404, "DELETE", "/api/v1/admin/dead-letters/"+letter, "")
	if left := do(200, "GET", "/api/v1/admin/dead-letters", "").Body["dead_letters"].([]any); len(left) > 0 {
		t.Errorf("dead letters are left: %v", left)
	}

	list, err := showlist.Read(strings.NewReader(`{"title":"T","venue":"V","capacity":1,"starts_at":"2099-01-02T00:00:00Z","sales_open_at":"2099-01-01T00:00:00Z"}`), "")
	if err == nil {
		_, err = d.ImportShows(t.Context(), list)
	}
	if err != nil {
		t.Fatal(err)
	}
	other := nobody.must(t, "POST", "/api/v1/signup", `{"email":"kim@example.com","password":"battery staple","name":"Kim"}`)
	if _, err := accounts.Promote(t.Context(), "kim@example.com", d.NoteUser("user.promote")); err != nil {
		t.Fatal(err)
	}

	var got []string
	for cursor := ""; ; {
		page := do(200, "GET", "/api/v1/admin/audit?limit=2"+cursor, "").Body
		for _, r := range page["records"].([]any) {
			r := r.(map[string]any)
			line := spaced(r["request_id"], r["action"], r["object"])
			if actor, _ := r["actor"].(map[string]any); actor == nil {
				line += " by the tool"
			} else if actor["id"] != float64(person.ID) || actor["email"] != "boss@example.com" || actor["name"] != "이순신" || r["ip"] != "203.0.113.9" {
				t.Errorf("%s is told of %v at %v", line, actor, r["ip"])
			}
			got = append(got, line)
		}
		next, more := page["next_cursor"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	slices.Reverse(got)
	want := []string{
		fmt.Sprintf(" user.create_admin user:%d by the tool", person.ID), "r-1 show.create show:" + show, "r-2 show.update show:" + show, "r-3 show.update show:" + show,
		"r-5 show.image show:" + show, "r-10 stock.resync show:" + show, "r-12 dead_letter.drop dead_letter:" + letter,
		" show.import shows by the tool", fmt.Sprintf(" user.promote user:%v by the tool", other.Body["id"]),
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log has\n%q, want\n%q", got, want)
	}
	d.sound(t)
}

// poison puts an entry into a stream that nobody can decode, and returns the id of the dead letter that becomes of it.
func (d *deployment) poison(t *testing.T, boss caller) (id string) {
	t.Helper()
	entry, err := d.Redis.XAdd(t.Context(), &redis.XAddArgs{Stream: d.Shards.Entries(0), Values: []any{"v", "1", "kind", "\xff\x00"}}).Result()
	if err == nil {
		err = d.Redis.XGroupCreate(t.Context(), d.Shards.Entries(0), "recorders", "0").Err()
	}
	if err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
		t.Fatal(err)
	}
	servertest.Eventually(t, 10*time.Second, "the entry is a dead letter", func() bool {
		letters := boss.must(t, "GET", "/api/v1/admin/dead-letters", "").Body["dead_letters"].([]any)
		if len(letters) != 1 {
			return false
		}
		letter := letters[0].(map[string]any)
		id = letter["id"].(string)
		fields := letter["fields"].(map[string]any)
		return letter["entry_id"] == entry && fields["kind"] == `\xff\x00` && fields["v"] == "1"
	})
	return id
}
