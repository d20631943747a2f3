package ops_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neticket/neticket/internal/ops"
)

func TestWaitFor(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	tests := map[string]struct {
		succeedAfter time.Duration // negative: never
		cancelAfter  time.Duration
		wantErr      []string
		wantIs       error
		wantTook     time.Duration // at most
	}{
		"at once":   {wantTook: 0},
		"later":     {succeedAfter: 12 * time.Second, wantTook: 15 * time.Second},
		"gives up":  {succeedAfter: -1, wantErr: []string{"mysql", "NETICKET_START_TIMEOUT", "1m0s"}, wantIs: refused, wantTook: time.Minute},
		"cancelled": {succeedAfter: -1, cancelAfter: 3 * time.Second, wantErr: []string{"mysql"}, wantIs: context.Canceled, wantTook: 3 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancelAfter > 0 {
					time.AfterFunc(tt.cancelAfter, cancel)
				}
				var out strings.Builder
				health := ops.NewHealth()
				begin := time.Now()
				err := ops.WaitFor(ctx, ops.NewLogger(&out, slog.LevelInfo, "text"), time.Minute, "mysql", func(context.Context) error {
					if tt.succeedAfter >= 0 && time.Since(begin) >= tt.succeedAfter {
						return nil
					}
					return refused
				}, health)
				if took := time.Since(begin); took > tt.wantTook {
					t.Errorf("took %v, want %v at most", took, tt.wantTook)
				}
				if !errors.Is(err, tt.wantIs) {
					t.Errorf("error %v, want %v", err, tt.wantIs)
				}
				for _, part := range tt.wantErr {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("error %q lacks %q", err, part)
					}
				}
				if lines, most := strings.Count(out.String(), "\n"), 1+int(tt.wantTook/(5*time.Second)); lines > most || tt.wantTook > 0 && lines == 0 {
					t.Errorf("%d lines in the log, want %d at most:\n%s", lines, most, &out)
				}
				if state := health.Report(ctx).State; state != "waiting for mysql" {
					t.Errorf("state %q", state)
				}
			})
		})
	}
}
