package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/neticket/neticket/internal/system/systemtest"
)

// each calls do with every command of the tool, and its name as it is called.
func each(cmd *cobra.Command, do func(cmd *cobra.Command, name []string)) {
	for _, sub := range cmd.Commands() {
		do(sub, strings.Fields(sub.CommandPath())[1:])
		each(sub, do)
	}
}

// Every command explains itself, refuses what it does not know, and asks no server for either.
func TestEveryCommand(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 1)
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			_ = conn.Close()
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	c := cli{env: environ{"NETICKET_MYSQL_DSN=a:b@tcp(" + listener.Addr().String() + ")/c", "NETICKET_REDIS_ADDRS=" + listener.Addr().String()}}
	commands := 0
	each(tool{environ: c.env, in: strings.NewReader(""), out: t.Output(), logs: t.Output()}.root(), func(cmd *cobra.Command, name []string) {
		commands++
		if cmd.Short == "" || cmd.Long == "" && cmd.Example == "" {
			t.Errorf("%v does not explain itself", name)
		}
		if status, out, logs := c.run(t, append(name, "--help")...); status != 0 || logs != "" || !strings.Contains(out, cmd.UseLine()) {
			t.Errorf("%v --help: %d, %q, %q", name, status, out, logs)
		}
		for _, wrong := range []string{"--sell", "a b c"} {
			if status, out, logs := c.run(t, append(name, strings.Fields(wrong)...)...); status != 2 || out != "" || !strings.Contains(logs, "Try: neticket") {
				t.Errorf("%v %s: %d, %q, %q", name, wrong, status, out, logs)
			}
		}
	})
	if commands < 15 {
		t.Errorf("walked over %d commands alone", commands)
	}
	select {
	case <-asked:
		t.Error("a server was asked")
	default:
	}
	// It would have been noticed.
	if status, _, _ := c.run(t, "stock", "check"); status != 1 {
		t.Errorf("exit status %d", status)
	}
	<-asked
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.Unguarded(t, c.servers)
	for range 12 {
		rig.Show(t, 10, 0)
	}
	for typed, want := range map[string]string{
		"":                             "completion\tGenerate the autocompletion script for the specified shell\n",
		"sto":                          "stock\tLook after the units left\n:4\n",
		"stock re":                     "resync\tSet a show's units left in Redis anew from MySQL\n:4\n",
		"stock resync 1":               "12\tTest\n11\tTest\n10\tTest\n1\tTest\n:36\n", // no files, in this order
		"stock resync 7 ":              ":4\n",
		"stock resync x":               ":4\n",
		"stock resync 1 --dr":          "--dry-run",
		"stock check ":                 ":4\n",
		"shows import ":                "csv\njsonl\nndjson\njson\n:8\n", // files of these kinds
		"shows import --format ":       "csv\njsonl\n:4\n",
		"shows import shows.csv --dry": "--dry-run",
	} {
		words := strings.Split(typed, " ")
		if out := c.mustRunLoudly(t, append([]string{"__complete"}, words...)...); !strings.Contains(out, want) {
			t.Errorf("%q: %q", typed, out)
		}
	}
	c.env = c.env.with("NETICKET_MYSQL_DSN=a:b@tcp(127.0.0.1:1)/c")
	if out := c.mustRunLoudly(t, "__complete", "stock", "resync", ""); out != ":1\n" {
		t.Errorf("without MySQL: %q", out)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := c.mustRun(t, "completion", shell)
		if !strings.Contains(script, "__complete") {
			t.Errorf("%s: %q", shell, script)
		}
		if path, err := exec.LookPath(shell); err == nil { // it is a script of that shell
			check := exec.CommandContext(t.Context(), path, "-n")
			check.Stdin = strings.NewReader(script)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s -n: %v: %s", shell, err, out)
			}
		}
	}
}

// mustRunLoudly is mustRun for a command that says something on standard error, too.
func (c cli) mustRunLoudly(t *testing.T, args ...string) string {
	t.Helper()
	status, out, logs := c.run(t, args...)
	if status != 0 {
		t.Fatalf("neticket %v: exit status %d\n%s%s", args, status, out, logs)
	}
	return out
}
