package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// samples are the metrics of a process by name and labels, as its ops page writes them.
type samples map[string]float64

func scrape(ctx context.Context, p *program) (samples, error) {
	text, err := get(ctx, "http://"+p.ops+"/metrics")
	if err != nil {
		return nil, fmt.Errorf("read the metrics of %s: %w", p.name, err)
	}
	values := samples{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			values[line[:at]] = value
		}
	}
	return values, nil
}

// quantile returns a quantile of a histogram without labels over the time between two scrapes: within its bucket as if all
// values lay evenly in it. It is NaN where nothing was observed, and +Inf beyond the last bucket.
func quantile(before, after samples, histogram string, q float64) float64 {
	type bucket struct{ bound, count float64 }
	var buckets []bucket
	for name, value := range after {
		label, ok := strings.CutPrefix(name, histogram+`_bucket{le="`)
		if !ok {
			continue
		}
		bound, err := strconv.ParseFloat(strings.TrimSuffix(label, `"}`), 64)
		if err != nil {
			continue
		}
		buckets = append(buckets, bucket{bound, value - before[name]})
	}
	slices.SortFunc(buckets, func(a, b bucket) int {
		if a.bound < b.bound {
			return -1
		}
		return 1
	})
	if len(buckets) == 0 || buckets[len(buckets)-1].count == 0 {
		return math.NaN()
	}
	rank := q * buckets[len(buckets)-1].count
	var below bucket
	for _, b := range buckets {
		if b.count >= rank {
			if math.IsInf(b.bound, 1) || b.count == below.count {
				return b.bound
			}
			return below.bound + (b.bound-below.bound)*(rank-below.count)/(b.count-below.count)
		}
		below = b
	}
	return math.Inf(1)
}
