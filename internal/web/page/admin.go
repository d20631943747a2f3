package page

import "time"

// adminPages are those that the admins' navigation leads to, as their addresses and texts spell them.
func adminPages() []string { return []string{"shows", "stock", "queue", "audit"} }

// zones are the time zones that the form of a show suggests; it takes all others, too.
func zones() []string {
	return []string{"Asia/Seoul", "Asia/Tokyo", "Asia/Shanghai", "Asia/Singapore", "Australia/Sydney", "Europe/London", "Europe/Paris",
		"Europe/Berlin", "America/New_York", "America/Los_Angeles", "UTC"}
}

// AdminList is what was asked of a list of all shows, and where the next page begins.
type AdminList struct {
	Words, State string // as they were typed
	Next         string // cursor; empty: this is the last page
	Later        bool   // this is not the first page
	Faults       []string
}

// AdminShows is a page of all shows, those to come first.
type AdminShows struct {
	AdminList
	Shows []Show
}

// ShowForm is the form that makes or changes a show. It holds what was typed, whatever that is.
type ShowForm struct {
	Show    *Show             // as it is stored; nil: it is to be made
	Values  map[string]string // by the field's name
	Faults  map[string]string // by the field's name: the first of each
	First   string            // the first field with a fault, where one wants to be
	Hinders string            // what hinders all of it; empty: nothing
	Key     string            // of a new show: the same form sent again is the same show
	Of      string            // tells the show as it was stored when the form was made from it
	Image   ImageForm
}

// ImageForm is the form that gives a show its image.
type ImageForm struct {
	Fault string
	Most  int64 // bytes that an upload may have
}

// AdminStock is the stock of a page of shows, both sides of it.
type AdminStock struct {
	AdminList
	Lines []StockLine
}

// StockLine is the stock of one show.
type StockLine struct {
	Show                      Show
	State                     string // of the hash in Redis: open, paused or unloaded
	Capacity, Confirmed, Left int
	Pending                   int64

	Told    bool // whether drift and audit are known: they cannot be told while something moves
	Drift   int
	Audited time.Time

	WrittenBack bool // whether there is a snapshot
	Snapshot    int  // units left in it
	SnapshotAge time.Duration
}

// Resync is what a resync of a show would do.
type Resync struct {
	Show                 Show
	Known                bool // the figures below are known
	Before, After, Drift int
	Fault                string // why it is not known, or was not done
	Possible             bool   // it can be tried
}

// Queue is what waits to be recorded.
type Queue struct {
	At      time.Time
	Shards  []QueueShard
	Total   QueueShard
	Workers []QueueWorker
	Letters []Letter
	Next    string // cursor of the letters
	Later   bool
}

// QueueShard is what waits in a shard.
type QueueShard struct {
	Number          int
	Entries, InHand int64
	Oldest          time.Duration
	Workers         int
	Missing         bool
	PaceKnown       bool
	Made, Settled   float64 // per second
}

// QueueWorker is who reads the streams.
type QueueWorker struct {
	Name   string
	Idle   time.Duration
	Silent bool // it has not asked for longer than a living one would
	InHand int64
	Shards int
}

// Letter is an entry that could not be decoded.
type Letter struct {
	ID, Entry, Reason string
	Shard             int
	At                time.Time
	Fields            []Pair
}

// Pair is a name and a text.
type Pair struct{ Name, Text string }

// Audit is a page of what people did, newest first.
type Audit struct {
	Records []Record
	Next    string
	Later   bool
}

// Record is what somebody did.
type Record struct {
	ID          int64
	At          time.Time
	UserID      int64 // 0: the operator's tool
	Who, Email  string
	Action      string
	Object      string
	Show        int64    // the object, where it is a show
	Changes     []Change // fields before and after
	Facts       []Pair   // other details
	IP, Request string
}

// Change is a field before and after.
type Change struct{ Name, Before, After string }
