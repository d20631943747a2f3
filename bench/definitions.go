package main

import (
	"fmt"
	"strings"
)

// Units of figures.
const (
	perSecond    = "1/s"
	milliseconds = "ms"
	mebibytes    = "MiB"
	perThousand  = "CPU s per 1,000"
	seconds      = "s"
	plain        = ""
)

// definition is a figure that the bench knows.
type definition struct {
	name      string
	what      string
	unit      string
	reference string // "": none
	goal      goal
}

// goal is what a figure has to reach. Zero values: none.
type goal struct {
	ratio    float64 // to the reference, at least
	least    float64 // of the median
	most     float64 // of the median
	baseline float64 // to the earlier build, at most
}

// lower says whether less is better.
func (d definition) lower() bool { return d.unit != perSecond }

// neutral says that more of it is neither better nor worse.
func (d definition) neutral() bool { return d.unit == plain }

const (
	floor8    = "floor/8"
	floor64   = "floor/64"
	floor1000 = "floor/1000"
	lock64    = "lock/64"
)

// definitions are all figures, in the order of the report. Goals are those of the project.
var definitions = []definition{
	{floor8, "floor: an Echo handler that binds a small JSON body and answers one, no I/O; 8 connections", perSecond, "", goal{}},
	{floor64, "floor, 64 connections", perSecond, "", goal{}},
	{floor1000, "floor, 1,000 connections", perSecond, "", goal{}},
	{lock64, "lock: a booking is one transaction with SELECT ... FOR UPDATE on the show's row; 64 connections", perSecond, "", goal{}},

	{"reading/detail", "GET a show's detail", perSecond, floor64, goal{ratio: 0.85}},
	{"reading/list", "list of shows", perSecond, floor64, goal{ratio: 0.45}},
	{"reading/search", "search, 8 connections", perSecond, floor8, goal{}},
	{"reading/search/p99", "search, 8 connections, p99", milliseconds, "", goal{most: 10}},
	{"reading/show-page", "page of a show", perSecond, floor64, goal{ratio: 0.40}},
	{"reading/home-page", "home page", perSecond, floor64, goal{ratio: 0.35}},
	{"reading/booking-page", "page of one booking", perSecond, floor64, goal{ratio: 0.25}},
	{"reading/import", "import of the catalogue", seconds, "", goal{}},
	{"reading/start", "start of the API until it lists all shows", seconds, "", goal{}},
	{"reading/memory", "API with the catalogue, at most", mebibytes, "", goal{}},
	{"cpu/api/detail", "API, per 1,000 details", perThousand, "", goal{}},
	{"cpu/api/show-page", "API, per 1,000 pages of a show", perThousand, "", goal{}},

	{"booking/sold-out", "answered that a show is sold out, 64 connections", perSecond, floor64, goal{ratio: 0.50}},
	{"booking/accepted/64", "bookings accepted, worker recording, 64 connections", perSecond, floor64, goal{}},
	{"booking/accepted/1000", "bookings accepted, worker recording, 1,000 connections", perSecond, floor1000, goal{ratio: 0.40}},
	{"booking/drained/64", "bookings recorded in MySQL until the last row, 64 connections", perSecond, lock64, goal{}},
	{"booking/drained/1000", "bookings recorded in MySQL until the last row, 1,000 connections", perSecond, lock64, goal{}},
	{"booking/confirmed", "bookings confirmed in MySQL with a level backlog", perSecond, lock64, goal{ratio: 10}},
	{"booking/backlog/start", "bookings that waited as that window began", plain, "", goal{}},
	{"booking/backlog/end", "bookings that waited as it ended", plain, "", goal{}},
	{"booking/gated", "share of that window in which the client was held back", plain, "", goal{}},
	{"booking/latency/p99", "accepted to committed at half of that rate, p99", milliseconds, "", goal{most: 100}},
	{"booking/latency/mean", "answer to a booking at half of that rate, from when it was due, mean", milliseconds, "", goal{}},

	{"cpu/api", "API", perThousand, "", goal{}},
	{"cpu/worker", "worker", perThousand, "", goal{}},
	{"cpu/flusher", "flusher", perThousand, "", goal{}},
	{"cpu/redis", "Redis", perThousand, "", goal{}},
	{"cpu/mysql", "MySQL", perThousand, "", goal{}},
	{"cpu/total", "all of them", perThousand, "", goal{most: 0.08, baseline: 0.45}},
	{"cpu/refused", "API and Redis, per 1,000 answers that a show is sold out", perThousand, "", goal{}},
	{"memory/worker", "worker at most under load", mebibytes, "", goal{most: 100}},

	{"burst/own", "bookings within 1 s, each on its own connection: mean", milliseconds, "", goal{most: 400}},
	{"burst/own/p50", "the same, p50", milliseconds, "", goal{}},
	{"burst/own/p99", "the same, p99", milliseconds, "", goal{}},
	{"burst/own/unserved", "the same, answered neither 202 nor 409", plain, "", goal{}},
	{"burst/kept", "bookings within 1 s on open connections: mean", milliseconds, "", goal{most: 100}},
	{"burst/kept/p50", "the same, p50", milliseconds, "", goal{}},
	{"burst/kept/p99", "the same, p99", milliseconds, "", goal{}},
	{"burst/kept/unserved", "the same, answered neither 202 nor 409", plain, "", goal{}},
	{"burst/once", "as many bookings at once as the limit of open files allows, on open connections: mean", milliseconds, "", goal{most: 1000}},
	{"burst/once/size", "how many that are", plain, "", goal{}},
	{"burst/once/p50", "the same, p50", milliseconds, "", goal{}},
	{"burst/once/p99", "the same, p99", milliseconds, "", goal{}},
	{"burst/once/unserved", "the same, answered neither 202 nor 409", plain, "", goal{}},
	{"burst/detail", "GET of a show's detail within 1 s on open connections: mean", milliseconds, "", goal{most: 105}},
	{"burst/detail/p50", "the same, p50", milliseconds, "", goal{}},
	{"burst/detail/p99", "the same, p99", milliseconds, "", goal{}},
	{"burst/detail/unserved", "the same, not answered 200", plain, "", goal{}},
	{"burst/detail-once", "GET of a show's detail, as many at once as bookings above: mean", milliseconds, "", goal{}},
	{"burst/detail-once/p50", "the same, p50", milliseconds, "", goal{}},
	{"burst/detail-once/p99", "the same, p99", milliseconds, "", goal{}},
	{"burst/detail-once/unserved", "the same, not answered 200", plain, "", goal{}},
	{"memory/api/idle", "API before anyone came", mebibytes, "", goal{}},
	{"memory/api/open", "API with 10,000 open connections", mebibytes, "", goal{most: 250}},

	{"mix/served", "requests served of a list, a show, a booking and my reservations", perSecond, "", goal{}},
	{"mix/unserved", "requests that failed", plain, "", goal{}},
	{"mix/mean", "those requests, from when they were due: mean", milliseconds, "", goal{most: 20}},
	{"mix/p99", "the same, p99", milliseconds, "", goal{}},
	{"mine/mean", "my reservations of someone with 200, at 500/s: mean", milliseconds, "", goal{}},
	{"mine/p99", "the same, p99", milliseconds, "", goal{most: 20}},

	{"growth/shows/1", "bookings recorded until the last row, all of one show", perSecond, lock64, goal{}},
	{"growth/shows/many", "the same, spread over 10,000 shows", perSecond, "growth/shows/1", goal{ratio: 0.80}},
	{"growth/rows/0", "bookings recorded until the last row, in an empty table", perSecond, lock64, goal{}},
	{"growth/rows/many", "the same, 5,000,000 rows in the table, all in InnoDB's buffer pool", perSecond, "growth/rows/0", goal{ratio: 0.80}},
	{"growth/rows/beyond", "the same, the table larger than the buffer pool", perSecond, "growth/rows/0", goal{ratio: 0.80}},

	{"processes/1", "bookings recorded until the last row, one API and one worker, two clients of 32 connections", perSecond, "", goal{}},
	{"processes/2", "the same, two APIs and two workers", perSecond, "processes/1", goal{ratio: 1}},
}

// definitionOf returns the definition of a figure, with or without "@baseline". One that is not defined is a mistake here.
func definitionOf(name string) definition {
	bare, _, _ := strings.Cut(name, "@")
	for _, d := range definitions {
		if d.name == bare {
			return d
		}
	}
	panic(fmt.Sprintf("the figure %q is not defined", name))
}

// words says what a goal asks for, or "".
func (g goal) words(d definition) string {
	var parts []string
	if g.ratio > 0 {
		parts = append(parts, fmt.Sprintf("%s x %s", number(g.ratio), d.reference))
	}
	if g.least > 0 {
		parts = append(parts, fmt.Sprintf("at least %s %s", number(g.least), d.unit))
	}
	if g.most > 0 {
		parts = append(parts, fmt.Sprintf("at most %s %s", number(g.most), d.unit))
	}
	if g.baseline > 0 {
		parts = append(parts, fmt.Sprintf("at most %s of the earlier build", number(g.baseline)))
	}
	return strings.Join(parts, "; ")
}

// reached says whether a figure reaches its goal, as far as it could be measured; nil where there is none.
func (g goal) reached(f *figure) *bool {
	if g == (goal{}) {
		return nil
	}
	ok := (g.ratio == 0 || f.Ratio != nil && f.Ratio.Median >= g.ratio) &&
		(g.least == 0 || f.Median >= g.least) && (g.most == 0 || f.Median <= g.most) &&
		(g.baseline == 0 || f.OfBaseline == nil || f.OfBaseline.Median <= g.baseline)
	return &ok
}
