package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
)

const (
	signUp      = "POST /api/v1/signup"
	logIn       = "POST /api/v1/login"
	newPassword = "POST /api/v1/me/password"
	me          = "GET /api/v1/me"
)

func (w *walk) people(t *testing.T) {
	nobody := w.api.as(t, 0)
	const kim = `{"email":"Kim@example.com","password":"correct horse","name":"김철수"}`
	made := w.ask(t,
		line{"no address", nobody, signUp, "", strings.Replace(kim, "@", "", 1), "", "422 invalid", "errors=email"},
		line{"a short password", nobody, signUp, "", strings.Replace(kim, "correct ", "", 1), "", "422 invalid", "errors=password"},
		line{"a name with nothing to see", nobody, signUp, "", strings.Replace(kim, "김철수", `\u3164`, 1), "", "422 invalid", "errors=name"},
		line{"nothing at all", nobody, signUp, "", "{}", "", "422 invalid", "errors=email errors=password errors=name"},
		line{"a new one", nobody, signUp, "", kim, "", "201", "id email=kim@example.com name=김철수 role=customer created_at"},
	)
	wantFields(t, "a user", made.Body, userFields)
	login := w.ask(t,
		line{"the same again", nobody, signUp, "", kim, "", "409 email_taken", ""},
		line{"another password", nobody, logIn, "", `{"email":"kim@example.com","password":"battery staple"}`, "", "401 bad_credentials", ""},
		line{"nobody's", nobody, logIn, "", `{"email":"lee@example.com","password":"battery staple"}`, "", "401 bad_credentials", ""},
		line{"right", nobody, logIn, "", `{"email":"kim@example.com","password":"correct horse"}`, "", "200", "token expires_at user.name=김철수 Set-Cookie"},
	)
	wantFields(t, "a login", login.Body, "expires_at token user")
	wantFields(t, "who logged in", login.Body["user"], userFields)
	anna := nobody
	anna.token, _ = login.Body["token"].(string)
	w.ask(t,
		line{"with the token", anna, me, "", "", "", "200", "email=kim@example.com"},
		line{"with the cookie", nobody, me, "", "", "Cookie: neticket_token=" + anna.token, "200", "email=kim@example.com"},
		line{"an account that is gone", w.api.as(t, 987654), me, "", "", "", "401 unauthenticated", ""},
		line{"not the password", anna, newPassword, "", `{"current":"x","new":"battery staple"}`, "", "401 bad_credentials", ""},
		line{"a short one", anna, newPassword, "", `{"current":"correct horse","new":"staple"}`, "", "422 invalid", "errors=new"},
		line{"another one", anna, newPassword, "", `{"current":"correct horse","new":"battery staple"}`, "", "204", "Set-Cookie"},
		line{"from this very moment, in this process", anna, me, "", "", "", "401 unauthenticated", ""},
		line{"", anna, "POST /api/v1/logout", "", "", "", "204", "Set-Cookie"},
		line{"again", nobody, "POST /api/v1/logout", "", "", "", "204", "Set-Cookie"},
	)
	login = w.ask(t, line{"with the new one", nobody, logIn, "", `{"email":"kim@example.com","password":"battery staple"}`, "", "200", "token"})
	anna.token, _ = login.Body["token"].(string)
	w.until(t, line{"guessing at a stranger's", nobody, logIn, "", `{"email":"lee@example.com","password":"a guess"}`, "", "429 too_many_attempts", ""})
	w.until(t, line{"guessing with a stolen token", anna, newPassword, "", `{"current":"a guess","new":"battery staple"}`, "", "429 too_many_attempts", ""})
}

// crowdOfHashes has more people sign up at a process than may wait for a hash, over and over: all with one address, so one gets it.
func (w *walk) crowdOfHashes(t *testing.T, at *process) {
	ctx, stop := context.WithCancel(t.Context())
	client := &http.Client{}
	var people sync.WaitGroup
	defer people.Wait()
	defer stop()
	for range 140 {
		people.Go(func() {
			for ctx.Err() == nil {
				body := strings.NewReader(`{"email":"crowd@example.com","password":"battery staple","name":"Crowd"}`)
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.url+"/api/v1/signup", body)
				if err != nil {
					t.Error(err)
					return
				}
				request.Header.Set("Content-Type", "application/json")
				if answer, err := client.Do(request); err == nil {
					answer.Body.Close()
				}
			}
		})
	}
	nobody := at.as(t, 0)
	w.until(t, line{"in a crowd", nobody, logIn, "", `{"email":"late@example.com","password":"battery staple"}`, "", "503 busy", ""})
	w.until(t, line{"in a crowd", nobody, signUp, "", `{"email":"late@example.com","password":"battery staple","name":"Late"}`, "", "503 busy", ""})
}
