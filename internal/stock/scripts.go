package stock

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// scripts are the ledger's only way to change Redis, and to read several keys at one instant. Each file states its keys, arguments and answers.
type scripts struct {
	requests, settle, pause, load, resume, edit, unload, look *redis.Script
}

func newScripts() scripts {
	read := func(name string) *redis.Script {
		source, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
		if err != nil {
			panic(err) // cannot happen: the file is part of the binary
		}
		return redis.NewScript(string(source))
	}
	return scripts{
		requests: read("requests"), settle: read("settle"), pause: read("pause"),
		load: read("load"), resume: read("resume"), edit: read("edit"), unload: read("unload"),
		look: read("look"),
	}
}

// list is what a script returned: a word, then its figures.
type list []any

// run calls a script that answers with a list.
func run(ctx context.Context, client redis.Scripter, script *redis.Script, keys []string, args ...any) (list, error) {
	reply, err := script.Run(ctx, client, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	if len(reply) == 0 {
		return nil, errors.New("a script answered nothing")
	}
	return reply, nil
}

func (l list) word() string { return l.text(0) }

// text returns a string of the list, or "".
func (l list) text(i int) string {
	if i >= len(l) {
		return ""
	}
	if s, ok := l[i].(string); ok {
		return s
	}
	return fmt.Sprint(l[i])
}

// number returns an integer of the list, given as such or as text, or 0.
func (l list) number(i int) int64 { return parseInt(l.text(i)) }

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // of our own scripts: a number, or empty for none
	return n
}

// neverSent tells that a call failed before Redis could have seen it.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted) ||
		errors.As(err, &op) && op.Op == "dial"
}

// refused tells that Redis answered with an error: the script did not run, since each begins with "#!lua", which makes Redis
// refuse it as a whole (OOM, MISCONF, READONLY, NOREPLICAS), or the server was not ready (LOADING, CLUSTERDOWN, ...).
func refused(err error) bool {
	var answered redis.Error
	return errors.As(err, &answered) && !errors.Is(err, redis.Nil)
}
