package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// environ is an environment as os.Environ gives it; of several variables of one name the last counts.
type environ []string

// Lookup is for config.Load, as os.LookupEnv is.
func (e environ) Lookup(name string) (string, bool) {
	for i := len(e) - 1; i >= 0; i-- {
		if value, found := strings.CutPrefix(e[i], name+"="); found {
			return value, true
		}
	}
	return "", false
}

func (e environ) get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// with returns a copy in which more, as "name=value", counts.
func (e environ) with(more ...string) environ { return slices.Concat(e, more) }

// own returns what is meant for NETicket, each variable once, but for the address of ops pages, which dev gives out itself.
func (e environ) own() (settings environ) {
	seen := map[string]bool{"NETICKET_OPS_ADDR": true}
	for _, setting := range slices.Backward(e) {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "NETICKET_") && !seen[name] {
			seen[name] = true
			settings = append(settings, setting)
		}
	}
	return settings
}

const (
	ratePerAddress = "NETICKET_RATE_PER_ADDRESS"

	tokenSecretFile = "token-secret"
	minTokenSecret  = 32 // bytes
)

// keepTokenSecret returns the variable that leads to a token secret, which is made at the first run and kept, so that
// logins outlive a restart. It returns nothing where the environment has one.
func keepTokenSecret(dir string, env environ) ([]string, error) {
	if env.get("NETICKET_TOKEN_SECRET") != "" || env.get("NETICKET_TOKEN_SECRET_FILE") != "" {
		return nil, nil
	}
	path := filepath.Join(dir, tokenSecretFile)
	setting := []string{"NETICKET_TOKEN_SECRET_FILE=" + path}
	kept, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read token secret: %w", err)
	}
	if len(strings.TrimSpace(string(kept))) >= minTokenSecret { // else: killed while writing it
		return setting, nil
	}
	if err := os.WriteFile(path, []byte(rand.Text()+rand.Text()+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write token secret: %w", err)
	}
	return setting, nil
}

// writeShellFile lets a shell take over the settings, so that the other commands find the servers of dev.
func writeShellFile(path string, settings []string) error {
	var text strings.Builder
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		fmt.Fprintf(&text, "%s=%s\n", name, shellQuote(value))
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write settings for shells: %w", err)
	}
	return nil
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
