package loadgen

import (
	"testing"
	"time"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	var thousand []time.Duration
	for i := 1000; i > 0; i-- {
		thousand = append(thousand, time.Duration(i))
	}
	for _, test := range []struct {
		latencies []time.Duration
		want      Summary
	}{
		{nil, Summary{}},
		{[]time.Duration{7}, Summary{1, 7, 7, 7, 7, 7, 7}},
		{[]time.Duration{3, 1}, Summary{2, 2, 1, 3, 3, 3, 3}},
		{thousand, Summary{1000, 500, 500, 900, 990, 999, 1000}},
	} {
		if got := Summarize(test.latencies); got != test.want {
			t.Errorf("of %d: %+v, want %+v", len(test.latencies), got, test.want)
		}
	}
}
