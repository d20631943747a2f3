// Package ops is what a process shows its operator: logs, metrics, health, profiles. It owns the ops page of each process
// (/metrics /livez /readyz /debug/pprof) and the wait for dependencies at start. It knows nothing of the domain; whoever has
// something to show registers it here. The ops page is for the inside of a deployment: it asks for no login.
package ops

import (
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewLogger writes JSON lines, or, with format "text", key=value lines to w.
func NewLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// Build says what a binary was made of.
type Build struct {
	Version  string // of the module, such as v1.2.3, or (devel)
	Revision string // of git, with a + when files were changed; unknown when it was not stamped
	Go       string
}

// ReadBuild reads what the linker stamped into this binary.
func ReadBuild() Build {
	build := Build{Version: "unknown", Revision: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build
	}
	if info.Main.Version != "" {
		build.Version = info.Main.Version
	}
	settings := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		build.Revision = revision
		if settings["vcs.modified"] == "true" {
			build.Revision += "+"
		}
	}
	return build
}

// NewRegistry returns a registry that has the metrics of the Go runtime and of the process, and
// neticket_build_info{version,revision,go} = 1.
func NewRegistry(build Build) *prometheus.Registry {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "neticket_build_info",
		Help:        "1; its labels say what the process was built of.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "go": build.Go},
	})
	info.Set(1)
	reg := prometheus.NewRegistry()
	reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}
