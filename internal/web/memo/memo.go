// Package memo keeps what is made again and again from the same things, such as parts of pages, bounded in bytes. It knows nothing of what
// it keeps.
package memo

import "sync"

// Cache keeps what was made for a key, bounded in bytes. A key must hold everything that the result depends on: then nothing in a cache is
// ever out of date, whatever changes, and what is no longer asked for goes by itself. Safe for use by many goroutines.
//
// It has two generations: what fits in half of the bound since the last change of generations, and what came before. What is asked for
// moves to the young generation; when that is full, the old one is dropped whole. So what is used stays, and no list has to be kept.
type Cache[K comparable, V any] struct {
	most int // bytes, of both generations

	mu         sync.RWMutex
	young, old map[K]cached[V]
	used       int // bytes of the young generation
}

type cached[V any] struct {
	value V
	size  int
}

// EntryOverhead is about what a map takes for an entry besides its value, in bytes: keys here are 100 to 400, their texts are shared.
const EntryOverhead = 512

// New returns a cache that holds so many bytes at most.
func New[K comparable, V any](most int) *Cache[K, V] {
	return &Cache[K, V]{most: most, young: map[K]cached[V]{}}
}

// Get returns what is kept for a key, or has it made. Its size is in bytes. Two who ask for the same at once may both make it. What was
// made with an error is not kept, and the error is returned.
func (c *Cache[K, V]) Get(key K, build func() (value V, size int, err error)) (V, error) {
	c.mu.RLock()
	found, ok := c.young[key]
	if ok {
		c.mu.RUnlock()
		return found.value, nil
	}
	found, ok = c.old[key]
	c.mu.RUnlock()
	if !ok {
		value, size, err := build()
		if err != nil {
			return value, err
		}
		found = cached[V]{value, size + EntryOverhead}
	}
	c.keep(key, found)
	return found.value, nil
}

func (c *Cache[K, V]) keep(key K, found cached[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[key]; ok || found.size > c.most/2 {
		return
	}
	if c.used+found.size > c.most/2 {
		c.old, c.young, c.used = c.young, map[K]cached[V]{}, 0
	}
	c.young[key] = found
	c.used += found.size
}
