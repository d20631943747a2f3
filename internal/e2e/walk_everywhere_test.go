package e2e

import (
	"slices"
	"strings"
	"testing"
)

// everywhere asks every call what all are asked.
func (w *walk) everywhere(t *testing.T) {
	nobody, anna, boss := w.api.as(t, 0), w.api.as(t, 71), admin(t, w.api)
	methods := map[string][]string{} // of each path
	for call, answers := range promises() {
		promised := func(answer string) bool { return slices.Contains(answers, answer) }
		method, at, _ := strings.Cut(call, " ")
		methods[at] = append(methods[at], method)
		id := any("00000000-0000-8000-8000-000000000000")
		if strings.Contains(at, "shows/{id}") {
			id = w.Show(t, 5, 0)
		}
		who, json := boss, ""
		if promised("415 unsupported_media_type") {
			json = "{}"
		}
		if promised("401 unauthenticated") {
			w.ask(t,
				line{"nobody", nobody, call, id, json, "", "401 unauthenticated", ""},
				line{"a forged token", nobody, call, id, json, "Authorization: Bearer " + anna.token[1:], "401 unauthenticated", ""},
				line{"a forged cookie", nobody, call, id, json, "Cookie: neticket_token=" + boss.token + "A", "401 unauthenticated", ""},
			)
		}
		if strings.HasPrefix(at, "/api/v1/admin") {
			w.ask(t, line{"a customer", anna, call, id, json, "", "403 forbidden", ""})
		}
		if method != "GET" {
			cookie := "Cookie: neticket_token=" + boss.token
			w.ask(t,
				line{"another site", nobody, call, id, json, cookie + "\nSec-Fetch-Site: cross-site", "403 forbidden", ""},
				line{"another site, an old browser", nobody, call, id, json, cookie + "\nOrigin: https://evil.test", "403 forbidden", ""},
			)
		}
		if promised("404 not_found") && strings.Contains(at, "{id}") {
			for _, bad := range []string{"x", "-1", "01", "1.0", "1e3", "99999999999999999999", "%20", "%00", "1%2F2", "%ED%95%9C"} {
				w.ask(t, line{"an id that is none: " + bad, who, call, bad, json, "", "404 not_found", ""})
				if strings.Contains(at, "{show}") {
					w.ask(t, line{"a show that is none: " + bad, who, call, ticket{bad, id}, json, "", "404 not_found", ""})
				}
			}
		}
		if json != "" && at != "/api/v1/admin/shows/{id}/image" {
			w.ask(t,
				line{"half", who, call, id, `{"title":`, "", "400 malformed", ""},
				line{"an array", who, call, id, `[]`, "", "400 malformed", ""},
				line{"an unknown field", who, call, id, `{"colour":"red"}`, "", "400 malformed", "errors=colour"},
				line{"not UTF-8", who, call, id, "{\"title\":\"\xff\"}", "", "400 malformed", ""},
				line{"another type", who, call, id, "a=b", "Content-Type: application/x-www-form-urlencoded", "415 unsupported_media_type", ""},
				line{"no type", who, call, id, "{}", "Content-Type: ", "415 unsupported_media_type", ""},
				line{"compressed", who, call, id, "{}", "Content-Encoding: gzip", "415 unsupported_media_type", ""},
				line{"64 KiB and a byte", who, call, id, strings.Repeat(" ", 64<<10+1), "", "413 too_large", ""},
			)
		}
	}
	for at, allowed := range methods {
		r := boss.must(t, "PATCH", path("PATCH "+at, 1), "")
		if answerOf(r) != "405 method_not_allowed" {
			t.Errorf("PATCH %s: %s", at, answerOf(r))
		}
		for fault := range faults(r, "") {
			t.Errorf("PATCH %s: %s", at, fault)
		}
		for _, method := range allowed {
			if !strings.Contains(r.Header.Get("Allow"), method) {
				t.Errorf("%s: Allow is %s, without %s", at, r.Header.Get("Allow"), method)
			}
		}
	}
	if r := boss.must(t, "GET", "/api/v1/nowhere", ""); answerOf(r) != "404 not_found" {
		t.Errorf("nowhere: %s", answerOf(r))
	}
}
