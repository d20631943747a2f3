package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/neticket/neticket/internal/config"
)

var update = flag.Bool("update", false, "rewrite the table in docs/configuration.md")

const secret = "0123456789abcdef0123456789abcdef"

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
}

func TestLoadDefaults(t *testing.T) {
	t.Parallel()
	images, err := filepath.Abs("var/images")
	if err != nil {
		t.Fatal(err)
	}
	common := config.Config{
		StartTimeout: 2 * time.Minute,
		TakeOver:     10 * time.Second,
		LogFormat:    "json",
		MySQLDSN:     "neticket:neticket@tcp(127.0.0.1:3306)/neticket",
		MySQLConns:   32,
		RedisAddrs:   []string{"127.0.0.1:6379"},
		RedisConns:   64,
		Shards:       16,
	}
	ofAPI := func(c *config.Config) {
		c.HTTPAddr = ":8080"
		c.MaxBacklog = 100_000
		c.MaxWaiting, c.MaxWait = 60_000, 10*time.Second
		c.Remember = 48 * time.Hour
		c.ImagesURL = "file://" + images
		c.RatePerUser = 20
		c.RatePerAddress = 1000
	}
	tests := map[config.Role]struct {
		env  map[string]string
		with func(*config.Config)
	}{
		config.API: {
			env: map[string]string{"NETICKET_TOKEN_SECRET": secret},
			with: func(c *config.Config) {
				ofAPI(c)
				c.OpsAddr = ":8081"
				c.TokenSecrets = [][]byte{[]byte(secret)}
			},
		},
		config.Worker: {with: func(c *config.Config) {
			c.OpsAddr = ":8082"
			c.BatchSize = 500
		}},
		config.Flusher: {with: func(c *config.Config) {
			c.OpsAddr = ":8083"
			c.FlushInterval = time.Minute
		}},
		config.Tool: {with: func(c *config.Config) {
			ofAPI(c)
			c.BatchSize = 500
			c.FlushInterval = time.Minute
		}},
	}
	for role, tt := range tests {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			want := common
			want.Role = role
			tt.with(&want)
			got, err := config.Load(role, lookup(tt.env))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fields(want), fields(got), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// fields strips the methods of Config, so that cmp prints what differs.
func fields(c config.Config) any {
	type plain config.Config
	return plain(c)
}

func TestLoadOne(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		got         func(config.Config) any
		want        any // nil: a fault
	}{
		{"REDIS_ADDRS", "a:1, b:2", func(c config.Config) any { return c.RedisAddrs }, []string{"a:1", "b:2"}},
		{"REDIS_ADDRS", "a:1,,b:2", nil, nil},
		{"REDIS_ADDRS", "a", nil, nil},
		{"REDIS_ADDRS", "a:99999", nil, nil},
		{"REDIS_TLS", "true", func(c config.Config) any { return c.RedisTLS }, true},
		{"REDIS_TLS", "maybe", nil, nil},
		{"REDIS_UNSAFE", "1", func(c config.Config) any { return c.RedisUnsafe }, true},
		{"SHARDS", "", func(c config.Config) any { return c.Shards }, 16},
		{"SHARDS", "1024", func(c config.Config) any { return c.Shards }, 1024},
		{"SHARDS", "0", nil, nil},
		{"SHARDS", "1025", nil, nil},
		{"BATCH_SIZE", "5000", func(c config.Config) any { return c.BatchSize }, 5000},
		{"BATCH_SIZE", "5001", nil, nil},
		{"BATCH_SIZE", "many", nil, nil},
		{"MAX_WAITING", "1", func(c config.Config) any { return c.MaxWaiting }, 1},
		{"MAX_WAIT", "10ms", func(c config.Config) any { return c.MaxWait }, 10 * time.Millisecond},
		{"MAX_WAITING", "0", nil, nil},
		{"MAX_WAIT", "9ms", nil, nil},
		{"MAX_WAIT", "21s", nil, nil},
		{"MAX_BACKLOG", "1", func(c config.Config) any { return c.MaxBacklog }, 1},
		{"MAX_BACKLOG", "0", nil, nil},
		{"REMEMBER", "1s", func(c config.Config) any { return c.Remember }, time.Second},
		{"REMEMBER", "999ms", nil, nil},
		{"FLUSH_INTERVAL", "1s", func(c config.Config) any { return c.FlushInterval }, time.Second},
		{"FLUSH_INTERVAL", "0", nil, nil},
		{"FLUSH_INTERVAL", "60", nil, nil},
		{"START_TIMEOUT", "-1s", nil, nil},
		{"MAX_CONNECTIONS", "5000", func(c config.Config) any { return c.MaxConnections }, 5000},
		{"RATE_PER_USER", "0", func(c config.Config) any { return c.RatePerUser }, 0},
		{"RATE_PER_ADDRESS", "-1", nil, nil},
		{"LOG_LEVEL", "debug", func(c config.Config) any { return c.LogLevel }, slog.LevelDebug},
		{"LOG_LEVEL", "loud", nil, nil},
		{"LOG_FORMAT", "text", func(c config.Config) any { return c.LogFormat }, "text"},
		{"LOG_FORMAT", "xml", nil, nil},
		{"HTTP_ADDR", "127.0.0.1:0", func(c config.Config) any { return c.HTTPAddr }, "127.0.0.1:0"},
		{"HTTP_ADDR", "8080", nil, nil},
		{"MYSQL_CONNS", "1", nil, nil},
		{"REDIS_CONNS", "0", nil, nil},
		{"MYSQL_DSN", "u:p@tcp(h:1)/", nil, nil},
		{"IMAGES_URL", "s3://b?region=r", func(c config.Config) any { return c.ImagesURL }, "s3://b?region=r"},
		{"IMAGES_URL", "/srv/my images", func(c config.Config) any { return c.ImagesURL }, "file:///srv/my%20images"},
		{"IMAGES_URL", "ftp://host/x", nil, nil},
		{"IMAGES_URL", "s3://key:pass@b", nil, nil},
		{"IMAGES_URL", "file://host/x", nil, nil},
		{"IMAGES_URL", "file:///x?create_dir=1", nil, nil},
		{"OTLP_ENDPOINT", "http://h:4318", func(c config.Config) any { return c.OTLPEndpoint }, "http://h:4318"},
		{"OTLP_ENDPOINT", "h:4318", nil, nil},
		{"TRUSTED_PROXIES", "10.1.2.3/8, ::1", func(c config.Config) any { return fmt.Sprint(c.TrustedProxies) }, "[10.0.0.0/8 ::1/128]"},
		{"TRUSTED_PROXIES", "proxy", nil, nil},
		{"TOKEN_SECRET", secret + "," + secret + "2", func(c config.Config) any { return len(c.TokenSecrets) }, 2},
		{"TOKEN_SECRET", secret + ",short", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Parallel()
			name := "NETICKET_" + tt.name
			c, err := config.Load(config.Tool, lookup(map[string]string{name: tt.value}))
			if tt.want == nil {
				if err == nil || !strings.Contains(err.Error(), name+" ") {
					t.Errorf("error %v, want one that names %s", err, name)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.got(c)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestLoadReportsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.API, lookup(map[string]string{
		"NETICKET_SHARDS":      "x",
		"NETICKET_REMEMBER":    "x",
		"NETICKET_BATCH_SIZE":  "x", // not of the API
		"NETICKET_MAX_BACKLOG": "5",
	}))
	if err == nil {
		t.Fatal("no error")
	}
	var names []string
	for line := range strings.Lines(err.Error()) {
		if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "NETICKET_") {
			names = append(names, name)
		}
	}
	want := []string{"NETICKET_SHARDS", "NETICKET_TOKEN_SECRET", "NETICKET_REMEMBER"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	empty := filepath.Join(t.TempDir(), "empty")
	for file, text := range map[string]string{path: secret + "\r\n", empty: "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		env   map[string]string
		fault string
	}{
		"file":    {env: map[string]string{"NETICKET_TOKEN_SECRET_FILE": path, "NETICKET_TOKEN_SECRET": ""}},
		"both":    {env: map[string]string{"NETICKET_TOKEN_SECRET_FILE": path, "NETICKET_TOKEN_SECRET": secret}, fault: "both set"},
		"missing": {env: map[string]string{"NETICKET_TOKEN_SECRET_FILE": path + "x"}, fault: "NETICKET_TOKEN_SECRET_FILE cannot be read"},
		"empty":   {env: map[string]string{"NETICKET_TOKEN_SECRET_FILE": empty}, fault: "empty file"},
		"none":    {fault: "NETICKET_TOKEN_SECRET is required"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Load(config.API, lookup(tt.env))
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) || strings.Contains(err.Error(), secret) {
					t.Errorf("error %v, want %q", err, tt.fault)
				}
				return
			}
			if err != nil || len(c.TokenSecrets) != 1 || string(c.TokenSecrets[0]) != secret {
				t.Errorf("got %q, %v", c.TokenSecrets, err)
			}
		})
	}
}

func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const password = "hunter2-hunter2-hunter2-hunter2-hunter2"
	for name, value := range map[string]string{
		"NETICKET_MYSQL_DSN":     "u:" + password + "@tcp(h:3306)x",
		"NETICKET_TOKEN_SECRET":  password + ",hunter2",
		"NETICKET_OTLP_ENDPOINT": "http://u:" + password + "@h\x7f",
		"NETICKET_IMAGES_URL":    "s3://u:" + password + "@b\x7f",
	} {
		_, err := config.Load(config.Tool, lookup(map[string]string{name: value}))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	c, err := config.Load(config.API, lookup(map[string]string{
		"NETICKET_MYSQL_DSN":      "u:" + password + "@tcp(h:3306)/x",
		"NETICKET_REDIS_PASSWORD": password,
		"NETICKET_TOKEN_SECRET":   password,
	}))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("start", "config", c)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		fmt.Fprintf(&out, verb, c)
	}
	if text := out.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
		t.Errorf("a secret in %s", text)
	}
	if !strings.Contains(out.String(), `"NETICKET_MYSQL_DSN":"(secret)"`) {
		t.Errorf("no redacted DSN in %s", &out)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	got := config.Unknown([]string{
		"PATH=/bin", "NETICKET_SHARD=1", "NETICKET_SHARDS=1", "NETICKET_MYSQL_DSN_FILE=x", "NETICKET_SHARDS_FILE=x", "NETICKET_A",
	})
	want := []string{"NETICKET_A", "NETICKET_SHARD", "NETICKET_SHARDS_FILE"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDocs(t *testing.T) {
	t.Parallel()
	const (
		path  = "../../docs/configuration.md"
		begin = "<!-- begin: made from internal/config by `go test ./internal/config -update` -->\n"
		end   = "<!-- end -->\n"
	)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the markers %q and %q", path, begin, end)
	}
	diff := cmp.Diff(table, config.Markdown())
	if diff == "" {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code says; run go test ./internal/config -update\n-page +code\n%s", path, diff)
	}
	if err := os.WriteFile(path, []byte(before+begin+config.Markdown()+end+after), 0o644); err != nil { // a page for everyone
		t.Fatal(err)
	}
}
