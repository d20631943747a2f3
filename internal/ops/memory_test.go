package ops

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"testing/fstest"
	"time"
)

func TestWhatTheOperatorSetsWins(t *testing.T) {
	t.Parallel()
	group := fstest.MapFS{"proc/self/cgroup": {Data: []byte("0::/\n")}, "sys/fs/cgroup/memory.max": {Data: []byte("1000000000\n")}}
	for _, test := range []struct {
		env   map[string]string
		set   string
		adapt bool
	}{
		{map[string]string{}, "limit 800000000 percent 400 ", true},
		{map[string]string{"GOGC": "", "GOMEMLIMIT": ""}, "limit 800000000 percent 400 ", true}, // as Go reads it
		{map[string]string{"GOGC": "50"}, "limit 800000000 ", false},
		{map[string]string{"GOGC": "off"}, "limit 800000000 ", false},
		{map[string]string{"GOMEMLIMIT": "1GiB"}, "percent 400 ", true},
		{map[string]string{"GOGC": "50", "GOMEMLIMIT": "off"}, "", false},
	} {
		set := ""
		g := tune(func(name string) (string, bool) { value, ok := test.env[name]; return value, ok }, group,
			func(percent int) int { set += fmt.Sprintf("percent %d ", percent); return 100 },
			func(limit int64) int64 { set += fmt.Sprintf("limit %d ", limit); return 0 })
		if set != test.set || g.adapt != test.adapt {
			t.Errorf("%v: set %q, adapts: %v", test.env, set, g.adapt)
		}
	}
}

func TestGroupMemory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing":        {nil, 0},
		"no limit":       {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		"a container":    {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 268435456},
		"a service":      {map[string]string{"proc/self/cgroup": "0::/system.slice/api.service\n", "sys/fs/cgroup/system.slice/api.service/memory.max": "500\n"}, 500},
		"of its parent":  {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "500\n", "sys/fs/cgroup/a/memory.max": "400\n"}, 400},
		"version 1":      {map[string]string{"proc/self/cgroup": "4:memory:/x\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "300\n"}, 300},
		"1 has no limit": {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
	} {
		files := fstest.MapFS{}
		for path, text := range test.files {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := groupMemory(files); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

// What is kept and what may be allocated meanwhile stay within 250 MiB for an API with 10,000 connections.
func TestPercentOf(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for kept, want := range map[uint64]int{0: 400, mib: 400, 12 * mib: 400, 16 * mib: 300, 48 * mib: 100, 80 * mib: 60, 100 * mib: 28, 120 * mib: 20, 128 * mib: 20, 4096 * mib: 20} {
		if got := percentOf(kept); got != want {
			t.Errorf("%d MiB: %d, want %d", kept/mib, got, want)
		}
	}
}

// The options follow what a process keeps, which here is more than the target.
func TestGarbageCollectionAdapts(t *testing.T) { // not in parallel: the options are the whole process's
	before := debug.SetGCPercent(mostGOGC)
	defer debug.SetGCPercent(before)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- GarbageCollection{adapt: true}.Run(ctx) }()
	kept := make([]byte, target)
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for until := time.Now().Add(30 * time.Second); ; {
		runtime.GC()
		if metrics.Read(percent); percent[0].Value.Uint64() == leastGOGC {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("GOGC is %d still", percent[0].Value.Uint64())
		}
	}
	runtime.KeepAlive(kept)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestGarbageCollectionEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := (GarbageCollection{}).Run(ctx); err != nil {
		t.Error(err)
	}
}
