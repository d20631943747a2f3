package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// withBaseline calls measure while the programs of the earlier build are there, if one is to be measured.
func (b *bench) withBaseline(ctx context.Context, measure func() error) (err error) {
	if b.baseline == "" {
		b.results.Baseline = b.earlier
		return measure()
	}
	dir, err := tempFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if b.earlier, err = buildRevision(ctx, b.baseline, dir); err != nil {
		return fmt.Errorf("build %s to measure it beside this one: %w", b.baseline, err)
	}
	b.results.Baseline = b.baseline
	return measure()
}

// buildRevision builds the programs of a git revision in a folder and returns where they are. Their source is removed.
func buildRevision(ctx context.Context, revision, dir string) (bin string, err error) {
	progress("building %s", revision)
	source := filepath.Join(dir, "source")
	command := func(folder, name string, args ...string) error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, out)
		}
		return nil
	}
	if err := command("", "git", "worktree", "add", "--detach", source, revision); err != nil {
		return "", err
	}
	// The caller's context may be over by then, and git would remember the folder for ever.
	defer func() {
		remove := exec.Command("git", "worktree", "remove", "--force", source) //nolint:noctx // it must not end with the caller
		if out, failed := remove.CombinedOutput(); failed != nil {
			err = errors.Join(err, fmt.Errorf("git worktree remove: %w\n%s", failed, out))
		}
	}()
	bin = filepath.Join(dir, "bin")
	return bin, command(source, "go", "build", "-o", bin+string(filepath.Separator), "./cmd/api", "./cmd/worker", "./cmd/flusher", "./cmd/neticket")
}
