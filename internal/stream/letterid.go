package stream

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LetterID names a dead letter over all shards. Its text is such as 3-1764000000000-0: the shard, and the id in its stream.
type LetterID struct {
	Shard   int
	Ms, Seq uint64
}

// String returns the text of an id.
func (id LetterID) String() string { return fmt.Sprintf("%d-%s", id.Shard, id.inShard()) }

// MarshalText has JSON hold the text.
func (id LetterID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// ParseLetterID reads what String writes, and nothing else.
func ParseLetterID(text string) (id LetterID, ok bool) {
	shard, rest, _ := strings.Cut(text, "-")
	n, err := strconv.ParseUint(shard, 10, 31)
	id, ok = letterID(int(n), rest)
	return id, err == nil && ok && id.String() == text
}

// letterID returns the id of a letter that has an id in its shard's stream.
func letterID(shard int, inShard string) (id LetterID, ok bool) {
	ms, seq, _ := strings.Cut(inShard, "-")
	id.Shard = shard
	var errMs, errSeq error
	id.Ms, errMs = strconv.ParseUint(ms, 10, 64)
	id.Seq, errSeq = strconv.ParseUint(seq, 10, 64)
	return id, errMs == nil && errSeq == nil
}

// BuriedAt is when the letter was buried, by Redis's clock.
func (id LetterID) BuriedAt() time.Time { return time.UnixMilli(int64(id.Ms)).UTC() }

func (id LetterID) inShard() string { return fmt.Sprintf("%d-%d", id.Ms, id.Seq) }

// compare orders ids by time; two of one time that lie in two shards by shard.
func (id LetterID) compare(with LetterID) int {
	return cmp.Or(cmp.Compare(id.Ms, with.Ms), cmp.Compare(id.Seq, with.Seq), cmp.Compare(id.Shard, with.Shard))
}
