package ops_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/ops"
)

func healthy(context.Context) error { return nil }

func failing(context.Context) error { return errors.New(strings.Repeat("down ", 100)) }

func hanging(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

var downText = strings.Repeat("down ", 40) // 200 bytes

func TestHealth(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set  func(*ops.Health)
		want ops.Report
	}{
		"starts as starting": {
			set:  func(*ops.Health) {},
			want: ops.Report{State: "starting"},
		},
		"waits": {
			set:  func(h *ops.Health) { h.SetStarting("waiting for mysql") },
			want: ops.Report{State: "waiting for mysql"},
		},
		"all well": {
			set: func(h *ops.Health) {
				h.AddCheck("redis", true, healthy)
				h.AddCheck("mysql", false, healthy)
				h.SetReady()
			},
			want: ops.Report{Ready: true, State: "ready", Checks: map[string]ops.Result{"redis": {OK: true, Critical: true}, "mysql": {OK: true}}},
		},
		"critical fails": {
			set: func(h *ops.Health) {
				h.AddCheck("redis", true, failing)
				h.SetReady()
			},
			want: ops.Report{State: "ready", Checks: map[string]ops.Result{"redis": {Critical: true, Error: downText}}},
		},
		"another fails": {
			set: func(h *ops.Health) {
				h.AddCheck("mysql", false, failing)
				h.SetReady()
			},
			want: ops.Report{Ready: true, State: "ready", Checks: map[string]ops.Result{"mysql": {Error: downText}}},
		},
		"stopping is for good": {
			set: func(h *ops.Health) {
				h.SetReady()
				h.SetStopping()
				h.SetReady()
			},
			want: ops.Report{State: "stopping"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := ops.NewHealth()
			tt.set(h)
			if tt.want.Checks == nil {
				tt.want.Checks = map[string]ops.Result{}
			}
			if diff := cmp.Diff(tt.want, h.Report(t.Context())); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestHealthChecksRunAtOnceAndTimeOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := ops.NewHealth()
		h.AddCheck("a", true, hanging)
		h.AddCheck("b", true, hanging)
		h.SetReady()
		begin := time.Now()
		report := h.Report(t.Context())
		if took := time.Since(begin); took != 2*time.Second || report.Ready {
			t.Errorf("took %v, %+v", took, report)
		}
	})
}
