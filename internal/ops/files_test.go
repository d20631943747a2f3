package ops

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/neticket/neticket/internal/diagnosis"
)

// The runtime raises the soft limit by itself; an API relies on that.
func TestFileLimitIsTheHardOne(t *testing.T) {
	t.Parallel()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	files, err := FileLimit()
	if err != nil || uint64(files) < min(limit.Max-1, 10_000) { // macOS has a lower limit of its own
		t.Errorf("%d files of %d, %v", files, limit.Max, err)
	}
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		files, reserve, wanted int
		limit                  int
		enough                 bool
	}{
		{20_000, 300, 0, 19_700, true},
		{20_000, 300, 19_700, 19_700, true},
		{20_000, 300, 19_701, 19_700, false},
		{20_000, 300, 50, 50, true},
		{1024, 300, 0, 724, false},
		{256, 300, 0, 128, false},
		{256, 300, 100, 100, true},
	} {
		if limit, enough := ConnectionLimit(test.files, test.reserve, test.wanted); limit != test.limit || enough != test.enough {
			t.Errorf("%+v: got %d %v", test, limit, enough)
		}
	}
}

func TestExamineHost(t *testing.T) {
	t.Parallel()
	files, err := FileLimit()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		reserve, wanted int
		severity        diagnosis.Severity
	}{{100, 10, diagnosis.OK}, {100, files, diagnosis.Warning}, {files, 0, diagnosis.Warning}} {
		found := ExamineHost(test.reserve, test.wanted)
		if test.reserve == files && files/2 >= fewConnections {
			test.severity = diagnosis.OK // half of them is a lot
		}
		if f := found[0]; f.Check != "host.files" || f.Severity != test.severity || (f.Mend == "") != (f.Severity == diagnosis.OK) {
			t.Errorf("%+v: got %+v", test, f)
		}
	}
}

func TestExamineBacklog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "somaxconn")
	for text, severity := range map[string]diagnosis.Severity{"128\n": diagnosis.Warning, "4095\n": diagnosis.Warning, "x\n": diagnosis.Warning, "4096\n": diagnosis.OK, "65535\n": diagnosis.OK} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var d diagnosis.Diagnosis
		if examineBacklog(&d, path); len(d) != 1 || d[0].Severity != severity {
			t.Errorf("%q: %+v", text, d)
		}
	}
	var d diagnosis.Diagnosis
	if examineBacklog(&d, path+"none"); len(d) != 1 || d[0].Severity != diagnosis.OK {
		t.Errorf("no file: %+v", d)
	}
}
