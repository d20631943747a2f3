package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A parser's error continues "NETICKET_X ..." and quotes the value only where it cannot hold a secret.

const minSecretBytes = 32 // the size of the HMAC-SHA256 key made of it

func anyText(text string) (string, error) { return text, nil }

func boolean(text string) (bool, error) {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("must be true or false, not %q", text)
	}
	return value, nil
}

func whole(lowest, highest int) func(string) (int, error) {
	return func(text string) (int, error) {
		value, err := strconv.Atoi(text)
		if err != nil || value < lowest || value > highest {
			return 0, fmt.Errorf("must be a whole number from %d to %d, not %q", lowest, highest, text)
		}
		return value, nil
	}
}

func duration(shortest time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		value, err := time.ParseDuration(text)
		if err != nil || value < shortest {
			return 0, fmt.Errorf("must be a duration such as 90s or 48h, %v or longer, not %q", shortest, text)
		}
		return value, nil
	}
}

// durationBetween is duration with an upper bound, too.
func durationBetween(shortest, longest time.Duration) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		value, err := time.ParseDuration(text)
		if err != nil || value < shortest || value > longest {
			return 0, fmt.Errorf("must be a duration such as 10s, from %v to %v, not %q", shortest, longest, text)
		}
		return value, nil
	}
}

func oneOf(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(words, text) {
			return "", fmt.Errorf("must be %s, not %q", strings.Join(words, " or "), text)
		}
		return text, nil
	}
}

// list parses what commas separate; spaces around an item do not count.
func list[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(text string) ([]T, error) {
		var values []T
		for item := range strings.SplitSeq(text, ",") {
			value, err := parse(strings.TrimSpace(item))
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		}
		return values, nil
	}
}

func address(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("must be host:port, not %q", text)
	}
	return text, nil
}

func network(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	value, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("must be addresses or prefixes such as 10.0.0.0/8, not %q", text)
	}
	return value.Masked(), nil
}

func logLevel(text string) (slog.Level, error) {
	var value slog.Level
	if value.UnmarshalText([]byte(text)) != nil {
		return 0, fmt.Errorf("must be debug, info, warn or error, not %q", text)
	}
	return value, nil
}

// dsn drops the driver's own error, which may quote a part of the DSN.
func dsn(text string) (string, error) {
	parsed, err := mysql.ParseDSN(text)
	if err != nil || parsed.DBName == "" {
		return "", errors.New("must be user:password@tcp(host:port)/database")
	}
	return text, nil
}

func tokenSecret(text string) ([]byte, error) {
	if len(text) < minSecretBytes {
		return nil, fmt.Errorf("must be %d bytes or more, each", minSecretBytes)
	}
	return []byte(text), nil
}

// imagesURL takes a bare directory too and makes it an absolute file URL.
func imagesURL(text string) (string, error) {
	if !strings.Contains(text, "://") {
		path, err := filepath.Abs(text)
		if err != nil {
			return "", fmt.Errorf("cannot be made absolute: %w", err)
		}
		return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String(), nil
	}
	value, err := url.Parse(text)
	switch {
	case err != nil || value.User != nil:
	case value.Scheme == "file" && value.Host == "" && value.Path != "" && value.RawQuery == "", value.Scheme == "s3" && value.Host != "":
		return text, nil
	}
	return "", errors.New("must be a directory, file:///directory or s3://bucket?region=..., without a password")
}

// httpURL refuses a password, because the endpoint is shown in logs.
func httpURL(text string) (string, error) {
	value, err := url.Parse(text)
	if err != nil || value.User != nil || value.Host == "" || value.Scheme != "http" && value.Scheme != "https" {
		return "", errors.New("must be http://host:port or https://host:port, without a password")
	}
	return text, nil
}
