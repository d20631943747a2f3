package web

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	t.Parallel()
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		trusted   proxies
		peer      string
		forwarded []string
		want      string
	}{
		"no proxies":           {nil, "203.0.113.1:5", []string{"198.51.100.1"}, "203.0.113.1"},
		"a stranger":           {trusted, "203.0.113.1:5", []string{"198.51.100.1"}, "203.0.113.1"},
		"a proxy":              {trusted, "10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		"a forged first hop":   {trusted, "10.0.0.1:5", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":          {trusted, "10.0.0.1:5", []string{"1.1.1.1, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		"two headers":          {trusted, "10.0.0.1:5", []string{"198.51.100.1", "10.9.9.9"}, "198.51.100.1"},
		"nothing but proxies":  {trusted, "10.0.0.1:5", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		"no header":            {trusted, "10.0.0.1:5", nil, "10.0.0.1"},
		"garbage":              {trusted, "10.0.0.1:5", []string{"198.51.100.1, what"}, "10.0.0.1"},
		"garbage before it":    {trusted, "10.0.0.1:5", []string{"what, 198.51.100.1"}, "198.51.100.1"},
		"IPv6":                 {trusted, "[fd00::1]:5", []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv4 in IPv6":         {trusted, "[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"a peer without a net": {trusted, "@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.peer
		r.Header["X-Forwarded-For"] = test.forwarded
		if got := test.trusted.client(r).String(); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
