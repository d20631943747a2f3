package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// machine is what the figures were found on.
type machine struct {
	CPU        string     `json:"cpu"`
	Cores      int        `json:"cores"`
	Memory     int        `json:"memory_mib"`
	Kernel     string     `json:"kernel"`
	Files      int        `json:"open_files"`  // that a process may have
	LoadBefore string     `json:"load_before"` // processes that wanted to run, in the minute before
	LoadAfter  string     `json:"load_after"`
	Go         string     `json:"go"`
	Redis      redisFacts `json:"redis"`
	MySQL      mysqlFacts `json:"mysql"`
	Wrk        string     `json:"wrk"`
}

// redisFacts are what the report says of Redis.
type redisFacts struct {
	Version string `json:"version"`
	AOF     string `json:"appendonly"`
	Fsync   string `json:"appendfsync"`
}

func readRedisFacts(ctx context.Context, client *redis.Client) (redisFacts, error) {
	info, err := client.InfoMap(ctx, "server").Result()
	if err != nil {
		return redisFacts{}, fmt.Errorf("read the version of Redis: %w", err)
	}
	config, err := client.ConfigGet(ctx, "append*").Result()
	if err != nil {
		return redisFacts{}, fmt.Errorf("read the settings of Redis: %w", err)
	}
	return redisFacts{info["Server"]["redis_version"], config["appendonly"], config["appendfsync"]}, nil
}

// readMachine reads what the kernel says. It needs Linux.
func readMachine() (m machine, err error) {
	m.Cores, m.Go = runtime.NumCPU(), runtime.Version()
	if m.CPU, err = procField("/proc/cpuinfo", "model name"); err != nil {
		m.CPU = runtime.GOARCH // some kinds have no name there
	}
	if m.Memory, err = procMiB("/proc/meminfo", "MemTotal"); err != nil {
		return machine{}, err
	}
	if m.Kernel, err = firstWord("/proc/sys/kernel/osrelease"); err != nil {
		return machine{}, err
	}
	m.LoadBefore, err = readLoad()
	return m, err
}

// readServers reads the versions and settings of a system's servers.
func (m *machine) readServers(ctx context.Context, s *system) (err error) {
	if m.Redis, err = readRedisFacts(ctx, s.client); err != nil {
		return err
	}
	m.MySQL, err = s.store.facts(ctx)
	return err
}

// readLoad returns how many processes wanted to run in the last minute.
func readLoad() (string, error) { return firstWord("/proc/loadavg") }

func firstWord(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read about the machine: %w", err)
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return word, nil
}

// memory is the resident set of a process in MiB: now, and at most since it started.
type memory struct{ now, most int }

func readMemory(pid int) (m memory, err error) {
	file := fmt.Sprintf("/proc/%d/status", pid)
	if m.now, err = procMiB(file, "VmRSS"); err != nil {
		return memory{}, err
	}
	m.most, err = procMiB(file, "VmHWM")
	return m, err
}

func procMiB(file, field string) (int, error) {
	text, err := procField(file, field)
	if err != nil {
		return 0, err
	}
	kiB, err := strconv.Atoi(strings.TrimSuffix(text, " kB"))
	if err != nil {
		return 0, fmt.Errorf("read %s of %s: %w", field, file, err)
	}
	return kiB >> 10, nil
}

// procField returns the first value of a name in a file of lines "name: value".
func procField(file, field string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", field, err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == field {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("read %s: there is no %s", file, field)
}

// revision is the commit that this folder is at, with "+" behind it where files were changed since. Outside of git it is "unknown".
func revision(ctx context.Context) string {
	head, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
	if err != nil || len(changes) > 0 {
		return strings.TrimSpace(string(head)) + "+"
	}
	return strings.TrimSpace(string(head))
}
