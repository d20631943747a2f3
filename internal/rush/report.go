package rush

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/neticket/neticket/internal/loadgen"
)

// Report is how a rush went.
type Report struct {
	Show        int64  `json:"show_id"`
	Title       string `json:"title"`
	URL         string `json:"url"`
	Buyers      int    `json:"buyers"`
	Capacity    int    `json:"capacity"`
	Over        Millis `json:"over_ms"`
	Connections int    `json:"connections"`

	// By answer, such as "202" or "409 sold_out". They differ where buyers came again: after a 503, or a lost reply.
	First map[string]int `json:"first_answers"`
	Last  map[string]int `json:"last_answers"`
	// Both count from when a buyer was due. Replies that were dropped on purpose are not in the first.
	FirstLatency Latency `json:"first_latency"`
	LastLatency  Latency `json:"last_latency"`
	Tries        int     `json:"tries"`

	Dropped int `json:"dropped_replies"`
	Found   int `json:"found_booked"` // buyers who lost a reply, came again, and had their reservation already

	GaveUp int `json:"gave_up"` // buyers who were still turned away (503, 429) after 60 s
	Left   int `json:"left"`    // tickets that nobody has

	Recorded      int     `json:"recorded"`          // rows
	RecordedAfter Millis  `json:"recorded_after_ms"` // from when the first buyer was due to when the last row was committed; 0: never
	Killed        *Killed `json:"worker_killed"`

	Checks []Check `json:"checks"`
	Holds  bool    `json:"holds"`
	Others int     `json:"faults_of_other_shows"` // they do not count here
}

// Latency is a distribution.
type Latency struct {
	Mean Millis `json:"mean_ms"`
	P50  Millis `json:"p50_ms"`
	P99  Millis `json:"p99_ms"`
	Max  Millis `json:"max_ms"`
}

// Millis is a duration that JSON has in milliseconds.
type Millis time.Duration

// MarshalJSON implements json.Marshaler.
func (m Millis) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(m).Microseconds()) / 1000)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Millis) UnmarshalJSON(text []byte) error {
	var millis float64
	if err := json.Unmarshal(text, &millis); err != nil {
		return err
	}
	*m = Millis(millis * float64(time.Millisecond))
	return nil
}

func latencyOf(all []time.Duration) Latency {
	s := loadgen.Summarize(all)
	return Latency{Millis(s.Mean), Millis(s.P50), Millis(s.P99), Millis(s.Max)}
}

// report puts together what the buyers were told and what was found.
func (c *crowd) report(o Options, f found, killed *Killed, recordedAfter time.Duration) Report {
	r := Report{
		Show: c.show.ID, Title: c.show.Title, URL: c.api.url, Buyers: o.Buyers, Capacity: o.Capacity, Over: Millis(o.Over),
		Connections: o.Connections, First: map[string]int{}, Last: map[string]int{}, Recorded: len(f.rows), Left: f.cut.Row.Capacity - f.cut.Row.Reserved,
		RecordedAfter: Millis(recordedAfter), Killed: killed, Checks: judge(c.stage, f), Holds: true, Others: f.others,
	}
	first, last := make([]time.Duration, 0, len(c.buyers)), make([]time.Duration, 0, len(c.buyers))
	for i := range c.buyers {
		b := &c.buyers[i]
		r.First[b.first.Word()]++
		r.Last[b.last.Word()]++
		r.Tries += b.tries
		last = append(last, b.last.Latency)
		if b.dropped {
			r.Dropped++
		} else {
			first = append(first, b.first.Latency)
		}
		if b.lost && b.last.Status == 200 {
			r.Found++
		}
		if b.turnedAway() {
			r.GaveUp++
		}
	}
	r.FirstLatency, r.LastLatency = latencyOf(first), latencyOf(last)
	for _, check := range r.Checks {
		r.Holds = r.Holds && check.Holds
	}
	return r
}

// Thousands writes a number as people read it: 20,000.
func Thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
