package devserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// chromiumVariable names another browser of the family than the ones that are looked for.
const chromiumVariable = "NETICKET_CHROMIUM"

// Chromium is a browser without a window that tests drive. It and its profile are gone once this process is.
type Chromium struct {
	program *Program
	dir     string
	url     string
}

// StartChromium starts a browser with an empty profile and returns when it can be driven. It finds it at $NETICKET_CHROMIUM, or as
// chromium, chromium-browser or google-chrome; the error of none is ErrNotInstalled.
func StartChromium(ctx context.Context) (*Chromium, error) {
	binary, err := findChromium()
	if err != nil {
		return nil, err
	}
	dir, err := tempDir("", "neticket-chromium-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, //nolint:noctx // the reaper ends it
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-sync",
		"--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
		"--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--hide-scrollbars", "--mute-audio",
		"--force-color-profile=srgb", "--password-store=basic", "--remote-debugging-port=0", "--user-data-dir="+dir, "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+dir) // it would leave caches at home
	program, err := StartProgram(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start chromium: %w", err), removeTempDir(dir))
	}
	c := &Chromium{program: program, dir: dir}
	if c.url, err = awaitDevTools(ctx, program, filepath.Join(dir, "DevToolsActivePort")); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// URL is where the browser takes orders.
func (c *Chromium) URL() string { return c.url }

// Close ends the browser and removes its profile.
func (c *Chromium) Close() error {
	return errors.Join(c.program.Kill(), removeTempDir(c.dir))
}

func findChromium() (string, error) {
	if named := os.Getenv(chromiumVariable); named != "" {
		return named, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := findBinary(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find chromium: %w when called with --tests", ErrNotInstalled)
}

// awaitDevTools waits until the browser has written where it listens: a port and a path, each on a line.
func awaitDevTools(ctx context.Context, program *Program, file string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read where chromium listens: %w", err)
		}
		if port, path, ok := bytes.Cut(data, []byte("\n")); ok && len(path) > 0 {
			return "ws://127.0.0.1:" + string(port) + strings.TrimSpace(string(path)), nil
		}
		select {
		case <-poll.C:
		case <-program.child.done:
			return "", fmt.Errorf("start chromium: it ended: %w", program.child.err)
		case <-ctx.Done():
			return "", fmt.Errorf("start chromium: it does not listen: %w", ctx.Err())
		}
	}
}
