package stream

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

const (
	// pileSize is how many letters of a shard are read at once.
	pileSize = 10
	// pageBytes is from which size on, in bytes of fields, a page takes no more letters.
	pageBytes = 1 << 20
)

// Letters returns the newest dead letters that are older than before, of all where that is the zero value, newest first over all
// shards, and whether there are more. They are fewer than limit where they are large.
func (g *Group) Letters(ctx context.Context, before LetterID, limit int) (letters []Letter, more bool, err error) {
	piles := make([]pile, len(g.shards))
	for shard := range piles {
		piles[shard].from = "(" + before.inShard()
		switch {
		case before == LetterID{}:
			piles[shard].from = "+"
		case shard < before.Shard: // of one time, it is the older one
			piles[shard].from = before.inShard()
		}
	}
	for size := 0; ; {
		if err := g.readPiles(ctx, piles); err != nil {
			return nil, false, err
		}
		newest := slices.MaxFunc(piles, func(a, b pile) int { return a.top().compare(b.top()) })
		switch {
		case len(newest.letters) == 0:
			return letters, false, nil
		case len(letters) == limit || size >= pageBytes:
			return letters, true, nil
		}
		letter := newest.letters[0]
		piles[letter.Shard].letters = newest.letters[1:]
		letters = append(letters, letter)
		size += letter.size()
	}
}

// pile is what is read of a shard's letters, newest first, and not on the page yet.
type pile struct {
	letters []Letter
	from    string // where the next ones begin; empty: there are none
}

// top returns the id of the newest letter, or of an empty pile the zero value, than which every letter is newer.
func (p pile) top() LetterID {
	if len(p.letters) == 0 {
		return LetterID{}
	}
	return p.letters[0].ID
}

// readPiles fills the empty piles of shards that have more.
func (g *Group) readPiles(ctx context.Context, piles []pile) error {
	pipe := g.client.Pipeline()
	found := map[int]*redis.XMessageSliceCmd{}
	for shard, p := range piles {
		if len(p.letters) == 0 && p.from != "" {
			found[shard] = pipe.XRevRangeN(ctx, g.shards[shard].Dead, p.from, "-", pileSize)
		}
	}
	if len(found) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	for shard, reply := range found {
		p := &piles[shard]
		p.from = ""
		for _, m := range reply.Val() {
			id, ok := letterID(shard, m.ID)
			if !ok {
				return fmt.Errorf("read the dead letters of shard %d: %q is no id", shard, m.ID)
			}
			p.letters = append(p.letters, newLetter(id, m.Values))
		}
		if len(p.letters) == pileSize {
			p.from = "(" + p.letters[pileSize-1].ID.inShard()
		}
	}
	return nil
}
