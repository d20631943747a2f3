package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrNoLetter says that there is no dead letter of that id.
var ErrNoLetter = errors.New("no such dead letter")

// Letter is a dead letter: an entry that could not be decoded. The API and the tool write it as JSON as it is here.
type Letter struct {
	ID       LetterID  `json:"id"`
	Shard    int       `json:"shard"`
	Entry    string    `json:"entry_id"`
	BuriedAt time.Time `json:"buried_at"`
	Reason   string    `json:"reason"`
	Fields   Fields    `json:"fields"`
}

// size is roughly how many bytes a letter has.
func (l Letter) size() (bytes int) {
	for _, field := range l.Fields {
		bytes += len(field.Name) + len(field.Value)
	}
	return bytes
}

// newLetter reads a dead letter. One that bury.lua did not write has what it holds for its fields.
func newLetter(id LetterID, values map[string]any) Letter {
	text := func(name string) string { s, _ := values[name].(string); return s }
	l := Letter{ID: id, Shard: id.Shard, BuriedAt: id.BuriedAt(), Entry: legible(text("entry")), Reason: legible(text("reason"))}
	var ok bool
	if l.Fields, ok = parseFields(text("fields")); !ok {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			l.Fields = append(l.Fields, Field{name, text(name)})
		}
	}
	return l
}

// legible is Text where that is needed: a reason quotes already what it tells of.
func legible(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	return Text(text)
}

// Letter returns a dead letter, or ErrNoLetter.
func (g *Group) Letter(ctx context.Context, id LetterID) (Letter, error) {
	if id.Shard >= len(g.shards) {
		return Letter{}, ErrNoLetter
	}
	found, err := g.client.XRange(ctx, g.shards[id.Shard].Dead, id.inShard(), id.inShard()).Result()
	if err != nil {
		return Letter{}, fmt.Errorf("read dead letter %s: %w", id, err)
	}
	if len(found) == 0 {
		return Letter{}, ErrNoLetter
	}
	return newLetter(id, found[0].Values), nil
}

// Drop deletes a dead letter for good, or returns ErrNoLetter.
func (g *Group) Drop(ctx context.Context, id LetterID) error {
	if id.Shard >= len(g.shards) {
		return ErrNoLetter
	}
	dropped, err := g.client.XDel(ctx, g.shards[id.Shard].Dead, id.inShard()).Result()
	if err != nil {
		return fmt.Errorf("drop dead letter %s: %w", id, err)
	}
	if dropped == 0 {
		return ErrNoLetter
	}
	return nil
}
