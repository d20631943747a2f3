package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/devserver"
)

// references are the programs that this one also is.
var references = map[string]func(args []string) error{"floor": serveFloor, "lock": serveLock}

// yardstick is floor and lock while they run. All speeds are compared with a sample of one of them just before and just after, so
// what else the machine does meanwhile hits both.
type yardstick struct {
	dir     string
	mariadb *devserver.MariaDB // of the lock alone
	running map[string]*program
	wrk     *wrk
	length  time.Duration // of a sample
	results *results
}

func newYardstick(ctx context.Context, load *wrk, length time.Duration, r *results) (y *yardstick, err error) {
	y = &yardstick{wrk: load, length: length, results: r, running: map[string]*program{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, y.close())
		}
	}()
	if y.dir, err = tempFolder(); err != nil {
		return nil, err
	}
	if y.mariadb, err = devserver.StartMariaDB(ctx, devserver.MariaDBOptions{Dir: y.dir + "/mariadb", Temporary: true}); err != nil {
		return nil, err
	}
	if y.running["floor"], err = launchReference(ctx, y.dir, "floor"); err != nil {
		return nil, err
	}
	y.running["lock"], err = launchReference(ctx, y.dir, "lock", y.mariadb.DSN(""))
	return y, err
}

// take measures references, each named with its number of connections: "floor/64".
func (y *yardstick) take(ctx context.Context, names ...string) error {
	for _, name := range names {
		kind, number, _ := strings.Cut(name, "/")
		connections, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
		f, err := y.wrk.send(ctx, target{name: kind, url: y.running[kind].url, requests: []string{referenceRequest}, connections: connections}, y.length)
		if err != nil {
			return err
		}
		if f.failed() > 0 {
			return fmt.Errorf("measure %s: %d requests failed", name, f.failed())
		}
		y.results.add(name, f.perSecond())
		progress("%s: %.0f/s", name, f.perSecond())
	}
	return nil
}

func (y *yardstick) close() (err error) {
	for _, p := range y.running {
		if p != nil {
			err = errors.Join(err, p.Kill()) // they have nothing in hand that counts
		}
	}
	if y.mariadb != nil {
		err = errors.Join(err, y.mariadb.Close())
	}
	return errors.Join(err, os.RemoveAll(y.dir))
}
