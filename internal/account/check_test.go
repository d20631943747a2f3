package account

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/invalid"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	valid := User{Email: "kim@example.com", Name: "김철수", Role: Customer}
	const password = "12345678"
	tests := map[string]struct {
		change   func(*User)
		password string
		want     []string
	}{
		"valid":               {password: password},
		"password short":      {password: "1234567", want: []string{"password too_short"}},
		"8 characters":        {password: "비밀번호비밀번호"},
		"200 characters":      {password: strings.Repeat("비", 200)},
		"201 characters":      {password: strings.Repeat("x", 201), want: []string{"password too_long"}},
		"name empty":          {change: func(u *User) { u.Name = " \t" }, password: password, want: []string{"name required"}},
		"name of 100":         {change: func(u *User) { u.Name = strings.Repeat("김", 100) }, password: password},
		"name of 101":         {change: func(u *User) { u.Name = strings.Repeat("김", 101) }, password: password, want: []string{"name too_long"}},
		"name with line":      {change: func(u *User) { u.Name = "a\nb" }, password: password, want: []string{"name characters"}},
		"name turned round":   {change: func(u *User) { u.Name = "a\u202eb" }, password: password, want: []string{"name characters"}},
		"name invisible":      {change: func(u *User) { u.Name = "\u3164" }, password: password, want: []string{"name required"}},
		"name not UTF-8":      {change: func(u *User) { u.Name = "a\xff" }, password: password, want: []string{"name characters"}},
		"role":                {change: func(u *User) { u.Role = "root" }, password: password, want: []string{"role unknown"}},
		"everything is wrong": {change: func(u *User) { *u = User{} }, want: []string{"email format", "password too_short", "name required", "role unknown"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := valid
			if tt.change != nil {
				tt.change(&u)
			}
			var got []string
			if bad, ok := errors.AsType[*invalid.Error](u.check(tt.password)); ok {
				for _, f := range bad.Fields {
					got = append(got, f.Field+" "+f.Code)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestNormalEmail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" Kim@Example.COM\n": "kim@example.com",
		"a@b":                "a@b",
		"김@한국.kr":            "김@한국.kr",
		strings.Repeat("a", 242) + "@example.com": strings.Repeat("a", 242) + "@example.com",
		strings.Repeat("a", 243) + "@example.com": "",
		"":                                 "",
		"kim":                              "",
		"kim@":                             "",
		"Kim <kim@example.com>":            "",
		"kim@example.com, lee@example.com": "",
		`"k i m"@example.com`:              "",
		"kim@example.com (Kim)":            "",
		"k\u202em@example.com":             "",
		"k\xffm@example.com":               "",
		"kim@exa\r\nBcc: mple.com":         "",
	} {
		got, ok := normalEmail(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, ok, want)
		}
	}
}
