package config

import (
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"time"
)

const (
	prefix     = "NETICKET_"
	fileSuffix = "_FILE"
)

// setting is one row of the table that drives parsing, logging and the documentation.
type setting struct {
	name     string
	def      string // default, as it would be written in the environment
	of       []Role
	doc      string
	secret   bool // may come as name_FILE, is never printed
	required bool // of every process but the tool
	binding
}

// binding ties a setting to its field of Config.
type binding struct {
	set func(*Config, string) error
	get func(*Config) string
}

func to[T any](field func(*Config) *T, parse func(string) (T, error)) binding {
	return binding{
		set: func(c *Config, text string) error {
			value, err := parse(text)
			*field(c) = value
			return err
		},
		get: func(c *Config) string { return fmt.Sprint(*field(c)) },
	}
}

// settings returns the table, in the order of the documentation.
func settings() []setting {
	all := []Role{API, Worker, Flusher, Tool}
	api := []Role{API, Tool}
	return []setting{
		{
			name: "NETICKET_HTTP_ADDR", def: ":8080", of: api,
			doc:     "where the API and the pages listen",
			binding: to(func(c *Config) *string { return &c.HTTPAddr }, address),
		},
		opsAddr(API, ":8081"),
		opsAddr(Worker, ":8082"),
		opsAddr(Flusher, ":8083"),
		{
			name: "NETICKET_MYSQL_DSN", def: "neticket:neticket@tcp(127.0.0.1:3306)/neticket", of: all, secret: true,
			doc:     "MySQL or MariaDB: `user:password@tcp(host:port)/database`",
			binding: to(func(c *Config) *string { return &c.MySQLDSN }, dsn),
		},
		{
			name: "NETICKET_MYSQL_CONNS", def: "32", of: all,
			doc: "connections to MySQL, at most, of a process",
			// A migration holds one and needs another.
			binding: to(func(c *Config) *int { return &c.MySQLConns }, whole(2, 10_000)),
		},
		{
			name: "NETICKET_REDIS_ADDRS", def: "127.0.0.1:6379", of: all,
			doc:     "`host:port`; several, separated by commas: a cluster",
			binding: to(func(c *Config) *[]string { return &c.RedisAddrs }, list(address)),
		},
		{
			name: "NETICKET_REDIS_PASSWORD", of: all, secret: true,
			doc:     "password of Redis",
			binding: to(func(c *Config) *string { return &c.RedisPassword }, anyText),
		},
		{
			name: "NETICKET_REDIS_TLS", def: "false", of: all,
			doc:     "speak TLS to Redis",
			binding: to(func(c *Config) *bool { return &c.RedisTLS }, boolean),
		},
		{
			name: "NETICKET_REDIS_CONNS", def: "64", of: all,
			doc:     "connections to Redis, at most, of a pool",
			binding: to(func(c *Config) *int { return &c.RedisConns }, whole(1, 10_000)),
		},
		{
			name: "NETICKET_REDIS_UNSAFE", def: "false", of: all,
			doc:     "start although Redis may evict keys or keeps no append-only file: bookings can get lost",
			binding: to(func(c *Config) *bool { return &c.RedisUnsafe }, boolean),
		},
		{
			name: "NETICKET_SHARDS", def: "16", of: all,
			doc:     "number of streams, 1 to 1024; stored in MySQL, a different value is refused",
			binding: to(func(c *Config) *int { return &c.Shards }, whole(1, 1024)),
		},
		{
			name: "NETICKET_TOKEN_SECRET", of: api, secret: true, required: true,
			doc:     "signs the login tokens, 32 bytes or more; several, separated by commas: the first signs, all verify",
			binding: to(func(c *Config) *[][]byte { return &c.TokenSecrets }, list(tokenSecret)),
		},
		{
			name: "NETICKET_IMAGES_URL", def: "var/images", of: api,
			doc:     "where images are kept: a directory, which is made if it is missing, `file:///...` or `s3://bucket?region=...`; several APIs need one place",
			binding: to(func(c *Config) *string { return &c.ImagesURL }, imagesURL),
		},
		{
			name: "NETICKET_FLUSH_INTERVAL", def: "1m", of: []Role{Flusher, Tool},
			doc:     "time between two write-backs of the units left to MySQL, 1 s or more",
			binding: to(func(c *Config) *time.Duration { return &c.FlushInterval }, duration(time.Second)),
		},
		{
			name: "NETICKET_BATCH_SIZE", def: "500", of: []Role{Worker, Tool},
			doc:     "entries that one transaction records, at most; 1 to 5000",
			binding: to(func(c *Config) *int { return &c.BatchSize }, whole(1, 5000)),
		},
		{
			name: "NETICKET_MAX_BACKLOG", def: "100000", of: api,
			doc:     "unsettled entries of a show before bookings are answered 503 `busy`",
			binding: to(func(c *Config) *int { return &c.MaxBacklog }, whole(1, math.MaxInt32)),
		},
		{
			name: "NETICKET_MAX_WAITING", def: "60000", of: api,
			doc: "bookings and cancels that may wait for their turn at Redis, in a process, before 503 `busy`: a turn takes about 1 KB, " +
				"and 60,000 of them some seconds",
			binding: to(func(c *Config) *int { return &c.MaxWaiting }, whole(1, math.MaxInt32)),
		},
		{
			name: "NETICKET_MAX_WAIT", def: "10s", of: api,
			doc:     "how long a booking or cancel may wait for its turn at Redis before 503 `busy`, 10 ms to 20 s",
			binding: to(func(c *Config) *time.Duration { return &c.MaxWait }, durationBetween(10*time.Millisecond, 20*time.Second)),
		},
		{
			name: "NETICKET_REMEMBER", def: "48h", of: api,
			doc:     "how long a request key is remembered, 1 s or more",
			binding: to(func(c *Config) *time.Duration { return &c.Remember }, duration(time.Second)),
		},
		{
			name: "NETICKET_TRUSTED_PROXIES", of: api,
			doc:     "addresses or prefixes (`10.0.0.0/8`) whose X-Forwarded-For counts; none: the peer address is the client",
			binding: to(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, list(network)),
		},
		{
			name: "NETICKET_MAX_CONNECTIONS", def: "0", of: api,
			doc:     "connections of clients that a process serves at once, more wait; 0: as many as the limit of open files allows",
			binding: to(func(c *Config) *int { return &c.MaxConnections }, whole(0, 1_000_000)),
		},
		{
			name: "NETICKET_RATE_PER_USER", def: "20", of: api,
			doc:     "requests per second of a user and process; 0: off",
			binding: to(func(c *Config) *int { return &c.RatePerUser }, whole(0, math.MaxInt32)),
		},
		{
			name: "NETICKET_RATE_PER_ADDRESS", def: "1000", of: api,
			doc:     "requests per second of a client address and process (offices and carriers share one); 0: off",
			binding: to(func(c *Config) *int { return &c.RatePerAddress }, whole(0, math.MaxInt32)),
		},
		{
			name: "NETICKET_START_TIMEOUT", def: "2m", of: all,
			doc:     "how long a process waits at start for Redis and MySQL before it gives up",
			binding: to(func(c *Config) *time.Duration { return &c.StartTimeout }, duration(time.Millisecond)),
		},
		{
			name: "NETICKET_TAKE_OVER", def: "10s", of: all,
			doc:     "how long a resync that gives no sign of life keeps its show paused before another may take it over, 1 s or more; the same in every process",
			binding: to(func(c *Config) *time.Duration { return &c.TakeOver }, duration(time.Second)),
		},
		{
			name: "NETICKET_OTLP_ENDPOINT", of: all,
			doc:     "where traces go, `http://host:4318`; none: tracing is off",
			binding: to(func(c *Config) *string { return &c.OTLPEndpoint }, httpURL),
		},
		{
			name: "NETICKET_LOG_LEVEL", def: "info", of: all,
			doc:     "`debug`, `info`, `warn` or `error`",
			binding: to(func(c *Config) *slog.Level { return &c.LogLevel }, logLevel),
		},
		{
			name: "NETICKET_LOG_FORMAT", def: "json", of: all,
			doc:     "`json` or `text`",
			binding: to(func(c *Config) *string { return &c.LogFormat }, oneOf("json", "text")),
		},
	}
}

func opsAddr(role Role, def string) setting {
	return setting{
		name: "NETICKET_OPS_ADDR", def: def, of: []Role{role},
		doc:     "where /metrics, /livez, /readyz and /debug/pprof listen; `:0` takes a free port and logs it",
		binding: to(func(c *Config) *string { return &c.OpsAddr }, address),
	}
}
