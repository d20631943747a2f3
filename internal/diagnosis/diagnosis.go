// Package diagnosis is how the packages that know a part of the deployment tell what they found there, and how to mend it. It looks at
// nothing itself.
package diagnosis

import "fmt"

// Severity says what a finding means for an operator.
type Severity string

// The severities.
const (
	OK      Severity = "ok"
	Warning Severity = "warning" // it works, but not as it should or not for long
	Fault   Severity = "fault"   // something does not work, or what was sold could be lost
)

// Finding is what one look at one thing found.
type Finding struct {
	Severity Severity `json:"severity"`
	Check    string   `json:"check"`  // a stable word, such as mysql.schema
	Detail   string   `json:"detail"` // a sentence for people
	Mend     string   `json:"mend,omitempty"`
}

// Diagnosis is what was found, in the order in which it was looked for.
type Diagnosis []Finding

// OK notes that something is as it should be.
func (d *Diagnosis) OK(check, format string, args ...any) {
	*d = append(*d, Finding{Severity: OK, Check: check, Detail: fmt.Sprintf(format, args...)})
}

// Warn notes a warning, and how it is mended.
func (d *Diagnosis) Warn(check, mend, format string, args ...any) {
	*d = append(*d, Finding{Warning, check, fmt.Sprintf(format, args...), mend})
}

// Fault notes a fault, and how it is mended.
func (d *Diagnosis) Fault(check, mend, format string, args ...any) {
	*d = append(*d, Finding{Fault, check, fmt.Sprintf(format, args...), mend})
}

// Count returns how many findings have a severity.
func (d *Diagnosis) Count(severity Severity) (n int) {
	for _, f := range *d {
		if f.Severity == severity {
			n++
		}
	}
	return n
}
