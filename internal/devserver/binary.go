package devserver

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

// ErrNotInstalled says that a server's program is not on this machine.
var ErrNotInstalled = errors.New("not found on this machine: run scripts/install, which installs it")

// binaryDirs are looked into after the PATH: Debian keeps mariadbd in /usr/sbin, outside the PATH of ordinary users, and
// Homebrew does not link every version it installs.
var binaryDirs = []string{
	"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin",
	"/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin", "/usr/libexec",
}

// findBinary returns the absolute path of a program, or ErrNotInstalled.
func findBinary(name string) (string, error) {
	for _, dir := range append([]string{""}, binaryDirs...) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("find %s: %w", name, ErrNotInstalled)
}
