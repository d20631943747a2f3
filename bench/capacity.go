package main

import (
	"embed"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed capacity.md.tmpl capacity.ko.md.tmpl
var capacityTexts embed.FS

// capacityFolder is where the pages about capacity are. They are made from the stored results, so they hold no figure of their own.
const capacityFolder = "docs"

// capacityPages are the pages and what they are made from.
var capacityPages = map[string]string{"capacity.md": "capacity.md.tmpl", "capacity.ko.md": "capacity.ko.md.tmpl"}

// writeCapacity writes the pages about capacity from the stored results.
func writeCapacity(stored, folder string) error {
	for page := range capacityPages {
		text, err := capacityPage(stored, page)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, page), []byte(text), 0o644) //nolint:gosec // for everyone to read
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", page, err)
		}
	}
	return nil
}

// capacityPage returns a page about capacity, of the full results where they are stored, else of the short ones.
func capacityPage(stored, page string) (string, error) {
	r, err := readResults(stored, full.name)
	if err == nil && r == nil {
		r, err = readResults(stored, short.name)
	}
	if err == nil && r == nil {
		err = fmt.Errorf("there are no stored results")
	}
	if err != nil {
		return "", err
	}
	text, err := template.New(capacityPages[page]).ParseFS(capacityTexts, capacityPages[page])
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = text.Execute(&b, capacity{r})
	return b.String(), err
}

// capacity is what the pages ask. A figure that the results do not have is an error.
type capacity struct{ Results *results }

func (c capacity) figure(name string) (float64, error) {
	f := c.Results.figure(name)
	if f == nil {
		return 0, fmt.Errorf("the stored results have no figure %q", name)
	}
	return f.Median, nil
}

// Figure is the median of a figure.
func (c capacity) Figure(name string) (string, error) {
	v, err := c.figure(name)
	return number(v), err
}

// Count is the same, as a whole number with commas.
func (c capacity) Count(name string) (string, error) {
	v, err := c.figure(name)
	return commas(v), err
}

// PerConnection is the memory that an open connection takes in the API, in KiB.
func (c capacity) PerConnection() (float64, error) {
	open, err := c.figure("memory/api/open")
	if err != nil {
		return 0, err
	}
	idle, err := c.figure("memory/api/idle")
	return math.Round((open - idle) * 1024 / float64(short.buyers)), err
}

// OneRedis is how many bookings a second fill one Redis process, which computes on one core.
func (c capacity) OneRedis() (string, error) {
	spent, err := c.figure("cpu/redis")
	return commas(1000 / spent), err
}

// sale is what is to be carried.
type sale struct {
	Bookings float64 // accepted per second
	Refused  float64 // answered per second that they come too late
	Waiting  float64 // people with an open connection
	Polls    float64 // looks at a show's detail per second
	Pages    float64 // pages of the show per second
}

// Sale is a sale of seats, wanted by people who all come within some seconds: they load the page, look again every so many seconds, and
// book. The seats are gone in the first seconds, and the others are refused in those that remain.
func (c capacity) Sale(seats, people, within, first, every float64) sale {
	return sale{Bookings: seats / first, Refused: (people - seats) / (within - first), Waiting: people, Polls: people / every, Pages: people / within}
}

// plan is what a sale needs. Cores are in use, not bought: see Buy.
type plan struct {
	sale
	API, Worker, Redis, MySQL, Total float64 // cores
	Buy                              float64 // cores, so that they are busy for no more than usable
	Memory                           float64 // MiB, of the APIs for open connections
	APIs                             float64 // processes, each with connectionsOfAPI
	Redises                          float64 // processes: masters of a cluster
}

const (
	// usable is how much of a core is planned for: above it, waits grow faster than load.
	usable = 0.6
	// connectionsOfAPI is what a process is planned for, where the limit of open files allows.
	connectionsOfAPI = 20_000
)

// Plan works out what a sale needs.
func (c capacity) Plan(s sale) (p plan, err error) {
	cost := map[string]float64{}
	for _, name := range []string{"cpu/api", "cpu/worker", "cpu/flusher", "cpu/redis", "cpu/mysql", "cpu/refused", "cpu/api/detail", "cpu/api/show-page"} {
		if cost[name], err = c.figure(name); err != nil {
			return plan{}, err
		}
		cost[name] /= 1000
	}
	connection, err := c.PerConnection()
	if err != nil {
		return plan{}, err
	}
	p = plan{sale: s,
		API:    s.Bookings*cost["cpu/api"] + s.Refused*cost["cpu/refused"] + s.Polls*cost["cpu/api/detail"] + s.Pages*cost["cpu/api/show-page"],
		Worker: s.Bookings * (cost["cpu/worker"] + cost["cpu/flusher"]),
		Redis:  s.Bookings * cost["cpu/redis"], MySQL: s.Bookings * cost["cpu/mysql"]}
	p.Total = p.API + p.Worker + p.Redis + p.MySQL
	p.Buy = math.Ceil(p.Total / usable)
	p.Memory = s.Waiting * connection / 1024
	p.APIs = math.Max(1, math.Ceil(s.Waiting/connectionsOfAPI))
	p.Redises = math.Max(1, math.Ceil(p.Redis/usable))
	return p, nil
}

// Whole writes a number with commas; Cores one with a digit behind the point.
func (capacity) Whole(v float64) string { return commas(v) }

// Cores writes a number of cores.
func (capacity) Cores(v float64) string { return fmt.Sprintf("%.2f", v) }

func commas(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
