package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of CPU time in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// cpuTime returns how long a process has computed, in the program and in the kernel for it.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	// The second field is the name in parentheses, which may hold anything. utime and stime are the 14th and 15th.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("read the CPU time of process %d: it has %d fields", pid, len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// cpuTimes returns the CPU time of each process of a system, by name.
func (s *system) cpuTimes() (map[string]time.Duration, error) {
	times := map[string]time.Duration{}
	for name, pid := range s.processes() {
		spent, err := cpuTime(pid)
		if err != nil {
			return nil, err
		}
		times[name] = spent
	}
	return times, nil
}

// addCPU adds what each process spent since the earlier times, for 1,000 bookings that were confirmed meanwhile.
func (r *results) addCPU(s *system, before, after map[string]time.Duration, confirmed int) {
	var total float64
	for name := range before {
		spent := (after[name] - before[name]).Seconds() * 1000 / float64(confirmed)
		r.add(s.figure("cpu/"+name), spent)
		total += spent
	}
	r.add(s.figure("cpu/total"), total)
}
