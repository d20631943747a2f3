package ops_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/ops"
)

// serve runs a Server until the test ends and returns its address.
func serve(t *testing.T, health *ops.Health) string {
	t.Helper()
	server := ops.NewServer(ops.NewRegistry(ops.Build{}), health, slog.New(slog.DiscardHandler))
	addr, err := server.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return addr.String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestServer(t *testing.T) {
	t.Parallel()
	health := ops.NewHealth()
	health.AddCheck("redis", true, healthy)
	addr := serve(t, health)
	health.SetReady()
	for path, want := range map[string]string{
		"/livez":                         "ok",
		"/metrics":                       "neticket_build_info",
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile",
	} {
		if status, body := get(t, "http://"+addr+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	health.SetStopping()
	status, body := get(t, "http://"+addr+"/readyz")
	var got ops.Report
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := ops.Report{State: "stopping", Checks: map[string]ops.Result{"redis": {OK: true, Critical: true}}}
	if diff := cmp.Diff(want, got); status != http.StatusServiceUnavailable || diff != "" {
		t.Errorf("%d -want +got\n%s", status, diff)
	}
	if status, _ := get(t, "http://"+addr+"/livez"); status != http.StatusOK {
		t.Errorf("/livez while stopping: %d", status)
	}
}

func TestServerAddressTaken(t *testing.T) {
	t.Parallel()
	addr := serve(t, ops.NewHealth())
	server := ops.NewServer(ops.NewRegistry(ops.Build{}), ops.NewHealth(), slog.New(slog.DiscardHandler))
	if _, err := server.Listen(t.Context(), addr); err == nil {
		t.Error("a taken address was given out twice")
	}
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	health := ops.NewHealth()
	addr := serve(t, health)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := ops.Healthcheck(t.Context(), addr); err == nil || !strings.Contains(err.Error(), `"state":"starting"`) {
		t.Errorf("while starting: %v", err)
	}
	health.SetReady()
	for addr, ok := range map[string]bool{
		addr: true, ":" + port: true, "0.0.0.0:" + port: true, "[::]:" + port: true, ":0": false, "nonsense": false, "127.0.0.1:1": false,
	} {
		if err := ops.Healthcheck(t.Context(), addr); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
