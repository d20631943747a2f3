package e2e

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

// undocumented is what callers sent or were told that is not as the API's document has it.
var undocumented struct {
	mu     sync.Mutex
	faults []error
}

// checkDocumented is passed by everything that callers send and are answered. What they are told concerns the test that runs; that it is
// documented concerns all of them, so that is told at the end.
func checkDocumented(e apidoctest.Exchange) {
	checker, err := apidoctest.Shared()
	if err == nil {
		err = checker.Check(e)
	}
	if err != nil {
		undocumented.mu.Lock()
		defer undocumented.mu.Unlock()
		undocumented.faults = append(undocumented.faults, err)
	}
}

func TestMain(m *testing.M) {
	status := m.Run()
	undocumented.mu.Lock()
	defer undocumented.mu.Unlock()
	for _, fault := range undocumented.faults {
		fmt.Println("FAIL:", fault)
		status = 1
	}
	os.Exit(status)
}
