package devserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// prepareData makes a data folder where there is none. One that is there is complete: it is made under another name and
// renamed at the end, and what an interrupted start left under such names is thrown away.
func prepareData(ctx context.Context, dir string, options MariaDBOptions) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	leftovers, err := filepath.Glob(dir + ".new-*")
	if err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	for _, leftover := range leftovers {
		if err := os.RemoveAll(leftover); err != nil {
			return fmt.Errorf("remove half-made data folder: %w", err)
		}
	}
	if options.Template == "" {
		return InitMariaDB(ctx, dir, options.Fast)
	}
	return build(dir, func(unfinished string) error {
		return os.CopyFS(unfinished, os.DirFS(options.Template))
	})
}

// InitMariaDB makes a data folder with mariadb-install-db; dir appears when it is complete. Where another process was
// faster, its folder is kept. fast must be what the server will be started with.
func InitMariaDB(ctx context.Context, dir string, fast bool) error {
	binary, err := findBinary("mariadb-install-db")
	if err != nil {
		return err
	}
	return build(dir, func(unfinished string) error {
		log, err := openLog(unfinished + ".log")
		if err != nil {
			return err
		}
		defer os.Remove(log.Name())
		defer log.Close()
		args := append(mariadbArgs(fast), "--datadir=.", "--tmpdir=.",
			"--auth-root-authentication-method=normal", "--skip-test-db",
			"--force") // a fresh machine may not know its own name, which the script wants to look up and we have no use for
		cmd := exec.Command(binary, args...) //nolint:noctx // found by us, ended by us
		cmd.Dir = unfinished                 // the script cannot cope with a blank in a path
		cmd.Stdout, cmd.Stderr = log.File, log.File
		install, err := spawn(cmd)
		if err != nil {
			return fmt.Errorf("run mariadb-install-db: %w", err)
		}
		select {
		case <-install.done:
			if install.err != nil {
				return fmt.Errorf("run mariadb-install-db: %w", log.explain(install.err))
			}
			return nil
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("run mariadb-install-db: %w", context.Cause(ctx)), install.kill())
		}
	})
}

// build lets fill make a folder and gives it its name only when it is complete.
func build(dir string, fill func(unfinished string) error) error {
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".new-*")
	if err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	defer os.RemoveAll(unfinished)
	if err := fill(unfinished); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	if err := os.Rename(unfinished, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make data folder: %w", err)
	}
	return nil
}

// MariaDBVersion is what the installed mariadbd says of itself, and which settings of ours its data folders are made
// with: a data folder of one version is good for no other.
func MariaDBVersion(ctx context.Context) (string, error) {
	binary, err := findBinary("mariadbd")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, binary, "--no-defaults", "--version").Output() // found by us
	if err != nil {
		return "", fmt.Errorf("ask mariadbd for its version: %w", err)
	}
	return fmt.Sprintf("%s%q", version, mariadbArgs(true)), nil
}
