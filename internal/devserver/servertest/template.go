package servertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/neticket/neticket/internal/devserver"
)

func startMariaDB(ctx context.Context) (*devserver.MariaDB, error) {
	template, err := mariadbTemplate(ctx)
	if err != nil {
		return nil, err
	}
	return devserver.StartMariaDB(ctx, devserver.MariaDBOptions{Fast: true, Template: template})
}

// mariadbTemplate returns a fresh data folder to copy, kept in the user's cache: it is made once per machine and version
// of MariaDB, as that takes a second of both cores and ten test binaries start at once.
func mariadbTemplate(ctx context.Context) (string, error) {
	version, err := devserver.MariaDBVersion(ctx)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil { // no home: a service account
		cache = filepath.Join(os.TempDir(), fmt.Sprintf("cache-%d", os.Geteuid()))
	}
	cache = filepath.Join(cache, "neticket-test")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	template := filepath.Join(cache, fmt.Sprintf("mariadb-%x", sha256.Sum256([]byte(version)))[:len("mariadb-")+16])
	if _, err := os.Stat(template); !errors.Is(err, fs.ErrNotExist) {
		return template, err
	}
	unlock, err := devserver.Lock(template+".lock", true)
	if err != nil {
		return "", fmt.Errorf("make MariaDB template: %w", err)
	}
	defer unlock() //nolint:errcheck // it only closes a file
	if _, err := os.Stat(template); !errors.Is(err, fs.ErrNotExist) {
		return template, err
	}
	return template, devserver.InitMariaDB(ctx, template, true)
}
