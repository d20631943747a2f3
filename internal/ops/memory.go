package ops

import (
	"context"
	"math"
	"os"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Go collects garbage when the heap has doubled. A process that keeps 10 MB, as ours do, then collects for each 10 MB that it
// allocates, many times a second in a sale. Memory is there to do so less often: a collection for each headroom that was allocated costs
// little, whatever the process keeps. But a percentage that is right for 10 MB is far too high for the 150 MB of 10,000 connections,
// so it follows what is kept: an API with them stays within 250 MiB.
const (
	headroom   = 64 << 20 // bytes allocated between two collections
	mostGOGC   = 400
	leastGOGC  = 25
	adaptEvery = 100 * time.Millisecond
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
	tick := time.NewTicker(adaptEvery)
	defer tick.Stop()
	for set := mostGOGC; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		metrics.Read(kept)
		// Setting it stops the world for a moment, so small changes are let be.
		if percent := percentOf(kept[0].Value.Uint64() + kept[1].Value.Uint64()); math.Abs(float64(percent-set)) > float64(set)/8 {
			debug.SetGCPercent(percent)
			set = percent
		}
	}
}

// percentOf returns the GOGC with which a process that keeps so many bytes allocates the headroom between two collections.
func percentOf(kept uint64) int {
	return int(min(mostGOGC, max(leastGOGC, 100*headroom/max(kept, 1))))
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
