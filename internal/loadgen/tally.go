package loadgen

import (
	"slices"
	"sync"
	"time"
)

// Tally counts answers by their word and keeps every latency, so its quantiles are exact: 8 bytes an answer.
type Tally struct {
	mu        sync.Mutex
	words     map[string]int
	latencies []time.Duration
}

// NewTally returns a tally with room for n answers; more may be added.
func NewTally(n int) *Tally {
	return &Tally{words: map[string]int{}, latencies: make([]time.Duration, 0, n)}
}

// Add counts an answer.
func (t *Tally) Add(a Answer) {
	word := a.Word()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.words[word]++
	t.latencies = append(t.latencies, a.Latency)
}

// Words returns how many answers had each word.
func (t *Tally) Words() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	words := make(map[string]int, len(t.words))
	for word, n := range t.words {
		words[word] = n
	}
	return words
}

// Latency sums up the latencies of all answers so far.
func (t *Tally) Latency() Summary {
	t.mu.Lock()
	latencies := slices.Clone(t.latencies)
	t.mu.Unlock()
	return Summarize(latencies)
}

// Summary is a distribution of latencies; zero if there are none.
type Summary struct {
	Count                          int
	Mean, P50, P90, P99, P999, Max time.Duration
}

// Summarize sorts the latencies and sums them up.
func Summarize(latencies []time.Duration) Summary {
	n := len(latencies)
	if n == 0 {
		return Summary{}
	}
	slices.Sort(latencies)
	var sum time.Duration // of 292 years
	for _, latency := range latencies {
		sum += latency
	}
	// The nearest rank: the smallest latency that at least this share of all does not exceed.
	rank := func(perMille int) time.Duration { return latencies[(n*perMille+999)/1000-1] }
	return Summary{Count: n, Mean: sum / time.Duration(n), P50: rank(500), P90: rank(900), P99: rank(990), P999: rank(999), Max: latencies[n-1]}
}
