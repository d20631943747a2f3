package stock

import (
	"context"
	"fmt"
	"slices"
)

// Settlement closes one entry whose outcome is committed.
type Settlement struct {
	Entry     string // id in the stream
	Show      int64
	User      int64
	Epoch     int64 // the entry's
	Seq       int64
	UnitsBack int    // to left
	CountBack int    // off the user's count
	Void      string // reservation id of a cancel that did nothing, whose marker goes; else ""
}

// settleMost is how many entries one call of settle.lua closes, at most: everybody else waits for Redis meanwhile, 2 to 3 ms.
const settleMost = 250

// Settle closes entries of one shard and returns how many this call settled: the others were settled before. After an error the
// same call may be made again; nothing is counted twice.
func (l *Ledger) Settle(ctx context.Context, shard int, settlements []Settlement) (int, error) {
	settled := 0
	for part := range slices.Chunk(settlements, settleMost) {
		keys, args := l.settleCall(shard, part)
		n, err := l.scripts.settle.Run(ctx, l.client, keys, args...).Int()
		if err != nil {
			return settled, fmt.Errorf("settle %d entries of shard %d: %w", len(settlements), shard, err)
		}
		settled += n
	}
	return settled, nil
}

// settleCall returns what settle.lua is called with, in the order that the script states.
func (l *Ledger) settleCall(shard int, settlements []Settlement) (keys []string, args []any) {
	type group struct{ show, epoch int64 }
	members := map[group][]*Settlement{}
	var groups []group
	for i := range settlements {
		s := &settlements[i]
		g := group{s.Show, s.Epoch}
		if members[g] == nil {
			groups = append(groups, g)
		}
		members[g] = append(members[g], s)
	}
	keys = append(keys, l.shards.Entries(shard))
	args = make([]any, 0, 4+2*len(groups)+2*len(settlements))
	args = append(args, l.options.Group, len(groups), settlements[0].Entry, settlements[len(settlements)-1].Entry)
	var users []string
	var giveBacks []any
	at := 0
	for i, g := range groups {
		keys = append(keys, l.shards.Show(g.show), l.shards.Users(g.show))
		args = append(args, g.epoch, len(members[g]))
		for _, s := range members[g] {
			at++
			args = append(args, s.Entry, beginning(s.Show, s.Epoch, s.Seq))
			if s.UnitsBack > 0 || s.CountBack > 0 || s.Void != "" {
				users = append(users, l.shards.User(shard, s.User))
				giveBacks = append(giveBacks, at, s.Entry, i+1, s.User, s.UnitsBack, s.CountBack, s.Void)
			}
		}
	}
	return append(keys, users...), append(args, giveBacks...)
}
