package protocol

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Hash is a hash; an empty one does not exist.
type Hash []Field

// Field of a hash.
type Field struct{ Name, Value string }

// Get is HGET.
func (h Hash) Get(name string) (string, bool) {
	for i := range h {
		if h[i].Name == name {
			return h[i].Value, true
		}
	}
	return "", false
}

// Text is Get where a missing field reads as "".
func (h Hash) Text(name string) string {
	value, _ := h.Get(name)
	return value
}

// Number is Get for fields that the scripts keep as integers; 0 where there is none.
func (h Hash) Number(name string) int64 {
	n, _ := strconv.ParseInt(h.Text(name), 10, 64)
	return n
}

// Has is HEXISTS.
func (h Hash) Has(name string) bool {
	_, ok := h.Get(name)
	return ok
}

// Set is HSET of pairs of name and value.
func (h *Hash) Set(pairs ...string) {
next:
	for ; len(pairs) > 1; pairs = pairs[2:] {
		for j := range *h {
			if (*h)[j].Name == pairs[0] {
				(*h)[j].Value = pairs[1]
				continue next
			}
		}
		*h = append(*h, Field{pairs[0], pairs[1]})
	}
}

// Delete is HDEL.
func (h *Hash) Delete(names ...string) {
	*h = slices.DeleteFunc(*h, func(f Field) bool { return slices.Contains(names, f.Name) })
}

var (
	errNotInteger = errors.New("ERR hash value is not an integer")
)

// add is HINCRBY.
func (h *Hash) add(name string, by int64) (int64, error) {
	text, ok := h.Get(name)
	n := int64(0)
	if ok {
		parsed, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strconv.FormatInt(parsed, 10) != text {
			return 0, errNotInteger
		}
		n = parsed
	}
	n += by
	h.Set(name, strconv.FormatInt(n, 10))
	return n, nil
}

func (h Hash) clone() Hash { return slices.Clone(h) }

func cloneAll(hashes []Hash) []Hash {
	all := make([]Hash, len(hashes))
	for i, h := range hashes {
		all[i] = h.clone()
	}
	return all
}

// number is Lua's tonumber of a string: whatever strtod reads to its end, white space around it.
func number(text string) (float64, bool) {
	// The common case first.
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return float64(n), true
	}
	text = strings.Trim(text, " \t\n\v\f\r")
	if strings.Contains(text, "_") {
		return 0, false // Go's, not C's
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok && !strings.ContainsAny(digits, ".p") {
		n, err := strconv.ParseUint(digits, 16, 64)
		return float64(n), err == nil
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil || errors.Is(err, strconv.ErrRange)
}

// numberOf is tonumber of a field, false where it is missing.
func (h Hash) numberOf(name string) (float64, bool) {
	text, ok := h.Get(name)
	if !ok {
		return 0, false
	}
	return number(text)
}

// whole is string.format('%.0f', n).
func whole(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 && (n != 0 || !math.Signbit(n)) {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
