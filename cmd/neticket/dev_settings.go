package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/neticket/neticket/internal/devserver"
)

const (
	devDir      = "var"      // where dev keeps everything, below the folder that it is called in
	devLock     = "dev.lock" // in there; a running dev holds it
	devSettings = "env"      // in there; see writeShellFile
)

// settings returns the environment that a command goes by. One that names neither MySQL nor Redis is completed with the settings
// of the dev that runs in this folder, if one does, so that `make run` in one terminal is enough for every command in another.
func (t tool) settings(env environ) (environ, error) {
	for _, name := range []string{"NETICKET_MYSQL_DSN", "NETICKET_MYSQL_DSN_FILE", "NETICKET_REDIS_ADDRS"} {
		if env.get(name) != "" {
			return env, nil
		}
	}
	if t.dev == "" {
		return env, nil
	}
	running, err := devserver.Locked(filepath.Join(t.dev, devLock))
	if err != nil || !running {
		return env, err
	}
	path := filepath.Join(t.dev, devSettings)
	found, err := readShellFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the `neticket dev` in this folder has not started its servers yet: try again in a moment")
	} else if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(t.logs, "neticket: with the settings of the `neticket dev` that runs here (%s)\n", path)
	return env.with(found...), nil
}

// readShellFile reads what writeShellFile wrote.
func readShellFile(path string) (environ, error) {
	text, err := os.ReadFile(path) // in the folder of dev
	if err != nil {
		return nil, fmt.Errorf("read the settings of dev: %w", err)
	}
	var settings environ
	for rest := string(text); rest != ""; {
		name, quoted, ok := strings.Cut(rest, "='")
		if !ok {
			return nil, fmt.Errorf("read the settings of dev: %s is damaged: %.40q", path, rest)
		}
		var value strings.Builder
		for {
			part, after, ok := strings.Cut(quoted, "'")
			if !ok {
				return nil, fmt.Errorf("read the settings of dev: %s is damaged: %s does not end", path, name)
			}
			value.WriteString(part)
			next, isQuote := strings.CutPrefix(after, `\''`) // a quote in the value
			if !isQuote {
				rest = strings.TrimPrefix(after, "\n")
				break
			}
			value.WriteByte('\'')
			quoted = next
		}
		settings = append(settings, name+"="+value.String())
	}
	return settings, nil
}
