package devserver

import (
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	logTailBytes = 8 << 10
	logTailLines = 40
)

// serverLog is the log file of a server, open for one run of it.
type serverLog struct {
	*os.File
	from int64 // where this run begins
}

func openLog(path string) (*serverLog, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &serverLog{File: file, from: info.Size()}, nil
}

// explain adds the last lines of this run to the reason why the server did not start. A port that is taken comes
// back as errPortTaken.
func (l *serverLog) explain(reason error) error {
	tail := l.tail()
	// Both servers print the system's own words, in English as we set LC_ALL.
	if strings.Contains(tail, "ddress already in use") {
		reason = errPortTaken
	}
	return fmt.Errorf("%w; the end of %s:\n%s", reason, l.Name(), tail)
}

func (l *serverLog) tail() string {
	info, err := l.Stat()
	if err != nil {
		return err.Error()
	}
	from := max(l.from, info.Size()-logTailBytes)
	text, err := io.ReadAll(io.NewSectionReader(l, from, info.Size()-from))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-logTailLines):], "\n")
}
