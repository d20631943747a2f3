// Package config turns the environment into one struct. It owns the name, default, bounds and description of every
// setting (one table, which the documentation is generated from) and guarantees that a Config it returned is within those
// bounds, that all faults are reported at once, and that no secret is printed, neither in a fault nor in a log.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// Role is the kind of a process; it decides which settings apply.
type Role string

// The processes that read the environment.
const (
	API     Role = "api"
	Worker  Role = "worker"
	Flusher Role = "flusher"
	Tool    Role = "tool" // the neticket command: any setting but OPS_ADDR, none required
)

// Config holds the settings of one process. Fields that its role has no use for are zero.
type Config struct {
	Role Role

	HTTPAddr     string
	OpsAddr      string
	StartTimeout time.Duration // how long a start waits for Redis and MySQL
	TakeOver     time.Duration // how long a silent resync is respected
	LogLevel     slog.Level
	LogFormat    string // json or text
	OTLPEndpoint string // empty: no tracing

	MySQLDSN   string `json:"-"`
	MySQLConns int    // size of the pool

	RedisAddrs    []string // more than one: a cluster
	RedisPassword string   `json:"-"`
	RedisTLS      bool
	RedisConns    int  // size of the pool
	RedisUnsafe   bool // start although eviction or AOF are not as required

	Shards        int
	BatchSize     int           // entries of one transaction
	FlushInterval time.Duration // between two write-backs
	MaxBacklog    int           // unsettled entries of a show before 503 busy
	MaxWaiting    int           // bookings and cancels that may wait for their turn before 503 busy
	MaxWait       time.Duration // how long they may
	Remember      time.Duration // of a request key

	TokenSecrets   [][]byte `json:"-"` // the first signs, all verify
	ImagesURL      string   // file:///... or s3://...
	TrustedProxies []netip.Prefix
	MaxConnections int // of clients at once; 0: as many as files allow
	RatePerUser    int // requests per second; 0: off
	RatePerAddress int // requests per second; 0: off
}

// Load reads the settings of role through lookup, such as os.LookupEnv; an empty variable counts as not set. The error
// lists every fault, a line each, with the name of the setting.
func Load(role Role, lookup func(string) (string, bool)) (Config, error) {
	c, faults := load(role, lookup)
	if len(faults) > 0 {
		return Config{}, fmt.Errorf("configuration:\n%w", errors.Join(faults...))
	}
	return c, nil
}

func load(role Role, lookup func(string) (string, bool)) (c Config, faults []error) {
	c.Role = role
	for _, s := range settings() {
		if !slices.Contains(s.of, role) {
			continue
		}
		name, value, err := s.read(lookup)
		if err == nil && value == "" && s.required && role != Tool {
			err = errors.New("is required")
		}
		if err == nil && value != "" {
			err = s.set(&c, value)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s %w", name, err))
		}
	}
	return c, faults
}

// read returns the value of s, or its default, and the name of the variable that it came from.
func (s setting) read(lookup func(string) (string, bool)) (name, value string, err error) {
	value, _ = lookup(s.name)
	if s.secret {
		file := s.name + fileSuffix
		if path, _ := lookup(file); path != "" {
			if value != "" {
				return s.name, "", fmt.Errorf("and %s are both set", file)
			}
			value, err := readSecret(path)
			return file, value, err
		}
	}
	if value == "" {
		value = s.def
	}
	return s.name, value, nil
}

func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path) // the operator names the file
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		return "", errors.New("names an empty file")
	}
	return value, nil
}

// Unknown returns, sorted, the NETICKET_ variables of environ (as os.Environ gives it) that are no settings, so that a
// process can warn about a misspelt one.
func Unknown(environ []string) []string {
	known := make(map[string]bool)
	for _, s := range settings() {
		known[s.name] = true
		known[s.name+fileSuffix] = s.secret
	}
	var unknown []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, prefix) && !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// LogValue shows the settings of the role by name, without the secrets.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, s := range settings() {
		if !slices.Contains(s.of, c.Role) {
			continue
		}
		value := s.get(&c)
		if s.secret && value != s.get(&Config{}) {
			value = "(secret)"
		}
		attrs = append(attrs, slog.String(s.name, value))
	}
	return slog.GroupValue(attrs...)
}

// Format prints what LogValue shows, whatever the verb, so that no secret gets out through fmt.
func (c Config) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, c.LogValue())
}
