package devserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("another process holds the lock")

// Lock takes the lock file at path, which the kernel releases when this process ends in any way. Where another holds it,
// Lock waits, or, if wait is false, returns ErrLocked. The file stays: removing it would let two hold the lock at once.
func Lock(path string, wait bool) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return file.Close, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = ErrLocked
	}
	_ = file.Close()
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// Locked reports whether another process holds the lock file at path, exclusively. It makes no file and, for a moment, shares the
// lock if it is free.
func Locked(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("look at the lock: %w", err)
	}
	defer file.Close() // it unlocks, too
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("look at the lock %s: %w", path, err)
		default:
			return false, nil
		}
	}
}
