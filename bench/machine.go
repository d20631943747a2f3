package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// machine is what the figures were found on.
type machine struct {
	cpu    string
	cores  int
	memory int // MiB
	kernel string
	redis  redisFacts
	mysql  mysqlFacts
	wrk    string
}

// redisFacts are what the report says of Redis.
type redisFacts struct{ version, aof, fsync string }

func readRedisFacts(ctx context.Context, addr string) (f redisFacts, err error) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
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

// readMachine fills in what the system tells. It needs Linux.
func readMachine() (m machine, err error) {
	m.cores = runtime.NumCPU()
	if m.cpu, err = procField("/proc/cpuinfo", "model name"); err != nil {
		m.cpu = runtime.GOARCH // some kinds have no name there
	}
	if m.memory, err = procMiB("/proc/meminfo", "MemTotal"); err != nil {
		return machine{}, err
	}
	m.kernel, err = firstWord("/proc/sys/kernel/osrelease")
	return m, err
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

// memory is the resident set of a process in MiB: now, and at most until now.
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
