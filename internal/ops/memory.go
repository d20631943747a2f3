package ops

import (
	"context"
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// Go collects garbage when the heap has doubled. A process that keeps 10 MB, as ours do, then collects for each 10 MB that it
// allocates, many times a second in a sale. Memory is there to do so less often. But a percentage that is right for 10 MB is far too
// high for the 120 MB that 10,000 connections keep, so it follows what is kept: the heap of a small process grows to five times that,
// of a larger one by the headroom, and beyond the target by a fifth. So an API with 10,000 connections stays within 250 MiB, of
// which 80 are stacks, and a worker within 100.
const (
	headroom  = 48 << 20  // most bytes allocated between two collections, while the heap is below the target
	target    = 128 << 20 // bytes
	mostGOGC  = 400
	leastGOGC = 20
	// memoryShare is how much of what the process may have is its soft limit: near it, it collects more often rather than being killed.
	memoryShare = 0.8
)

// GarbageCollection sets how often the process collects garbage. What the operator has set by GOGC or GOMEMLIMIT stays as it is.
type GarbageCollection struct {
	adapt bool
}

// TuneGarbageCollection sets the options of the garbage collector, unless lookup, such as os.LookupEnv, has GOGC or GOMEMLIMIT. A soft
// limit of memory is set where a control group limits the process, to 80 % of that.
func TuneGarbageCollection(lookup func(string) (string, bool)) GarbageCollection {
	return tune(lookup, os.DirFS("/").(readFS), debug.SetGCPercent, debug.SetMemoryLimit)
}

type readFS interface {
	ReadFile(name string) ([]byte, error)
}

func tune(lookup func(string) (string, bool), files readFS, setPercent func(int) int, setLimit func(int64) int64) (g GarbageCollection) {
	if limit, _ := lookup("GOMEMLIMIT"); limit == "" {
		if most := groupMemory(files); most > 0 {
			setLimit(int64(memoryShare * float64(most)))
		}
	}
	if percent, _ := lookup("GOGC"); percent == "" {
		setPercent(mostGOGC)
		g.adapt = true
	}
	return g
}

// Run adapts the options to what the process keeps, until ctx ends.
func (g GarbageCollection) Run(ctx context.Context) error {
	if !g.adapt {
		<-ctx.Done()
		return nil
	}
	kept := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	collected := make(chan struct{}, 1)
	for set := mostGOGC; ; {
		afterCollection(collected)
		select {
		case <-ctx.Done():
			return nil
		case <-collected:
		}
		metrics.Read(kept)
		// Setting it stops the world for a moment, so small changes are let be.
		if percent := percentOf(kept[0].Value.Uint64() + kept[1].Value.Uint64()); math.Abs(float64(percent-set)) > float64(set)/8 {
			debug.SetGCPercent(percent)
			set = percent
		}
	}
}

// afterCollection sends on a channel once the next collection is over: that is when something that nobody holds is cleaned up.
func afterCollection(collected chan<- struct{}) {
	runtime.AddCleanup(new([64]byte), func(struct{}) {
		select {
		case collected <- struct{}{}:
		default: // one who has ended
		}
	}, struct{}{})
}

// percentOf returns the GOGC for a process that keeps so many bytes.
func percentOf(kept uint64) int {
	room := uint64(0)
	if kept < target {
		room = min(headroom, target-kept)
	}
	return int(min(mostGOGC, max(leastGOGC, 100*room/max(kept, 1))))
}

// groupMemory returns the bytes that the control groups of this process allow it, or 0 where there is no limit.
func groupMemory(files readFS) (least int64) {
	const root = "sys/fs/cgroup"
	note := func(file string) {
		text, err := files.ReadFile(file)
		if err != nil {
			return
		}
		most, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is no number
		if err == nil && most > 0 && most < 1<<60 && (least == 0 || most < least) {
			least = most
		}
	}
	note(root + "/memory/memory.limit_in_bytes") // version 1
	groups, _ := files.ReadFile("proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::") // version 2
		for dir := path.Clean("/" + group); ok; dir = path.Dir(dir) {
			note(root + path.Join(dir, "memory.max"))
			if dir == "/" {
				break
			}
		}
	}
	return least
}
