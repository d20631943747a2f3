package ops

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/neticket/neticket/internal/diagnosis"
)

const (
	// fewConnections is what a sale's first second overruns. It is also the usual size of the kernel's queue.
	fewConnections = 4096
	backlogFile    = "/proc/sys/net/core/somaxconn"
)

// FileLimit returns how many files and connections this process may have open. The Go runtime has raised the soft limit to the
// hard one by then, which a test holds it to.
func FileLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	return int(min(limit.Cur, 1<<30)), nil
}

// ConnectionLimit returns how many clients may be connected at once where a process may have so many files open and keeps a reserve of
// them for itself: wanted, or, if that is 0, as many as it can. enough is false where it cannot serve what is wanted. At least half
// of the files are for clients.
func ConnectionLimit(files, reserve, wanted int) (limit int, enough bool) {
	most := max(files-reserve, files/2)
	if wanted == 0 {
		return most, most >= fewConnections
	}
	return min(wanted, most), wanted <= most
}

// ExamineHost looks at what this host allows an API that keeps a reserve of files and is to serve so many connections at once; 0: as
// many as it can. Limits of files are inherited, so it tells those of an API that is started as this process was.
func ExamineHost(reserve, wanted int) (d diagnosis.Diagnosis) {
	const mend = "raise the limit of open files (`ulimit -n`, LimitNOFILE= of systemd, --ulimit nofile= of docker)"
	files, err := FileLimit()
	limit, enough := ConnectionLimit(files, reserve, wanted)
	switch {
	case err != nil:
		d.Warn("host.files", mend, "%v", err)
	case !enough && wanted > 0:
		d.Warn("host.files", mend+", or lower NETICKET_MAX_CONNECTIONS", "%d files may be open, %d of them the API's own: it serves %d connections at once, and NETICKET_MAX_CONNECTIONS is %d",
			files, reserve, limit, wanted)
	case !enough:
		d.Warn("host.files", mend, "%d files may be open, %d of them the API's own: it serves only %d connections at once", files, reserve, limit)
	default:
		d.OK("host.files", "%d files may be open, %d of them the API's own: it serves %d connections at once", files, reserve, limit)
	}
	examineBacklog(&d, backlogFile)
	return d
}

func examineBacklog(d *diagnosis.Diagnosis, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		d.OK("host.backlog", "this system does not tell how many new connections may wait to be accepted")
		return
	}
	if most, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || most < fewConnections {
		d.Warn("host.backlog", fmt.Sprintf("`sysctl -w net.core.somaxconn=%d`", fewConnections),
			"net.core.somaxconn is %s: in a burst, clients beyond it try again a second later", strings.TrimSpace(string(text)))
		return
	}
	d.OK("host.backlog", "%s new connections may wait to be accepted", strings.TrimSpace(string(text)))
}
