package devserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// reaperScript reads "+item" and "-item" lines until its input ends, which happens when we are gone, however that came
// about: the kernel closes the pipe. Then it kills the process groups ("pid N") and removes the folders ("dir PATH")
// that are still on its list. A pipe and a shell, because a parent-death signal exists on Linux only.
const reaperScript = `
trap '' HUP INT TERM
set -f
IFS='
'
list=
while read -r line; do
	item=${line#?}
	case $line in
	+*) list=$list$item$IFS ;;
	-*)
		kept=
		for i in $list; do [ "$i" = "$item" ] || kept=$kept$i$IFS; done
		list=$kept ;;
	esac
done
for i in $list; do
	case $i in 'pid '*) kill -s KILL -- "-${i#pid }" ;; esac
done
for i in $list; do
	case $i in 'dir '*)
		n=0 # what was just killed may still be writing
		while rm -rf -- "${i#dir }"; [ -e "${i#dir }" ] && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done ;;
	esac
done
`

// reaper is our end of the pipe to the shell that outlives us.
type reaper struct {
	mu   sync.Mutex
	pipe *os.File
}

// theReaper starts the reaper once. It is a global because what it watches, the life of this process, is one too.
var theReaper = sync.OnceValues(startReaper)

func startReaper() (*reaper, error) {
	read, write, err := os.Pipe() // both close on exec: no child of ours can keep the pipe open
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	defer read.Close()
	cmd := exec.Command("/bin/sh", "-c", reaperScript, "neticket-reaper") //nolint:noctx // it outlives us
	cmd.Stdin = read
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of reach of Ctrl-C and of a closing terminal
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	return &reaper{pipe: write}, nil
}

// addPID has the process group of pid killed when we are gone.
func (r *reaper) addPID(pid int) error { return r.tell("+pid " + strconv.Itoa(pid)) }

// removePID must be called once pid was waited for: the number may be given to another process from then on.
func (r *reaper) removePID(pid int) error { return r.tell("-pid " + strconv.Itoa(pid)) }

// addDir has a folder removed when we are gone.
func (r *reaper) addDir(dir string) error {
	if !filepath.IsAbs(dir) || strings.ContainsAny(dir, "\r\n") {
		return fmt.Errorf("register folder %q: not an absolute path on one line", dir)
	}
	return r.tell("+dir " + dir)
}

func (r *reaper) removeDir(dir string) error { return r.tell("-dir " + dir) }

func (r *reaper) tell(line string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.pipe.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("tell reaper: %w", err)
	}
	return nil
}

// tempDir makes a folder that is gone once this process is. removeTempDir removes it earlier.
func tempDir(parent, pattern string) (string, error) {
	r, err := theReaper()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return "", fmt.Errorf("make temporary folder: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("make temporary folder: %w", err)
	}
	if err := r.addDir(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

func removeTempDir(dir string) error {
	r, err := theReaper()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove temporary folder: %w", err)
	}
	return r.removeDir(dir)
}
