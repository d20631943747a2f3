package stock

import (
	"fmt"
	"strconv"
)

// Shards maps shows to shards and names their keys. The number of shards is fixed for the life of a deployment.
// All keys of a shard share a hash tag, so that one script may touch them on a Redis Cluster, too.
type Shards struct {
	prefixes []string // "nt:{tag}:" of each shard
}

// NewShards names n shards. Shard i gets the first tag "i", "i.1", "i.2", ... whose cluster slot lies in the i-th of n equal
// parts of the 16384 slots, so that the shards are spread evenly over a cluster's nodes.
func NewShards(n int) Shards {
	const slots = 16384
	prefixes := make([]string, n)
	for i := range prefixes {
		tag := strconv.Itoa(i)
		for k := 1; int(crc16(tag)%slots)*n/slots != i; k++ {
			tag = fmt.Sprintf("%d.%d", i, k)
		}
		prefixes[i] = "nt:{" + tag + "}:"
	}
	return Shards{prefixes}
}

// Len is the number of shards.
func (s Shards) Len() int { return len(s.prefixes) }

// Of returns the shard of a show: FNV-1a over the id's 8 bytes, lowest first, modulo the number of shards.
func (s Shards) Of(show int64) int {
	hash := uint64(14695981039346656037)
	for range 8 {
		hash = (hash ^ uint64(show&0xff)) * 1099511628211
		show >>= 8
	}
	return int(hash % uint64(len(s.prefixes))) // less than the number of shards
}

// Entries is the key of a shard's stream; the fence's channel has the same name.
func (s Shards) Entries(shard int) string { return s.prefixes[shard] + "entries" }

// Dead is the key of a shard's dead letters.
func (s Shards) Dead(shard int) string { return s.prefixes[shard] + "dead" }

// User is the key of a user's markers in a shard.
func (s Shards) User(shard int, user int64) string {
	return s.prefixes[shard] + "user:" + strconv.FormatInt(user, 10)
}

// UserPattern matches the keys of all users' markers in a shard.
func (s Shards) UserPattern(shard int) string { return s.prefixes[shard] + "user:*" }

// Show is the key of a show's hash.
func (s Shards) Show(show int64) string {
	return s.prefixes[s.Of(show)] + "show:" + strconv.FormatInt(show, 10)
}

// Users is the key of the units that each user has taken of a show.
func (s Shards) Users(show int64) string {
	return s.prefixes[s.Of(show)] + "users:" + strconv.FormatInt(show, 10)
}

// crc16 is the XMODEM variant that Redis Cluster hashes tags with (redis.io/docs/reference/cluster-spec, appendix A).
func crc16(s string) uint16 {
	var crc uint16
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
