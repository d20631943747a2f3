package simulation

import (
	"slices"

	"github.com/neticket/neticket/internal/protocol"
)

// read is XREADGROUP.
func (k *worker) read() {
	var entries []*protocol.Entry
	var err error
	fate := k.w.send(&k.conn, "read", func(n *node) { entries, err = n.server.Read(k.name, batch) })
	k.take("read", entries, err, fate)
}

// claim is XAUTOCLAIM.
func (k *worker) claim() {
	var entries []*protocol.Entry
	var trimmed []protocol.ID
	var err error
	fate := k.w.send(&k.conn, "claim", func(n *node) { entries, trimmed, err = n.server.Claim(k.name, claimAfter, batch) })
	if len(trimmed) > 0 {
		k.w.violate("I10: entries %v were pending and are not in the stream", trimmed)
	}
	k.take("claim", entries, err, fate)
}

// sweep takes what was pending with nobody twice in a row.
func (k *worker) sweep() {
	if k.w.mistakes.NoSweep {
		return
	}
	var without []*protocol.Entry
	var err error
	fate := k.w.send(&k.conn, "look for entries without an owner", func(n *node) {
		var delivered []*protocol.Entry
		delivered, err = n.server.Delivered(batch)
		for _, e := range delivered {
			if !n.server.Owned(e.ID) {
				without = append(without, e)
			}
		}
	})
	if fate != answered || err != nil {
		return
	}
	before := k.orphans
	k.orphans = nil
	var ids []protocol.ID
	var entries []*protocol.Entry
	for _, e := range without {
		k.orphans = append(k.orphans, e.ID)
		if slices.Contains(before, e.ID) {
			ids, entries = append(ids, e.ID), append(entries, e)
		}
	}
	if len(ids) == 0 {
		return
	}
	k.orphans = nil
	k.w.seen["sweep: taken"]++
	fate = k.w.send(&k.conn, "claim entries without an owner", func(n *node) { err = n.server.Take(k.name, ids, true) })
	k.take("sweep", entries, err, fate)
}

// take has a batch in hand now.
func (k *worker) take(how string, entries []*protocol.Entry, err error, fate fate) {
	if k.w.tracing && (len(entries) > 0 || err != nil || fate != answered) {
		k.w.say(k.name, "%s -> %s %s %v%s", how, k.conn.node.name, k.w.list(entries), err, fate)
	}
	if err != nil && fate == answered {
		k.vanished()
		return
	}
	if fate != answered {
		return
	}
	for _, e := range entries {
		k.batch, k.ids = append(k.batch, k.w.entry(e)), append(k.ids, e.ID)
	}
}

// vanished has all shows of the shard loaded anew, because its stream or group is gone.
func (k *worker) vanished() {
	fate := k.w.send(&k.conn, "unload", func(n *node) {
		for show := int64(1); show <= k.w.shows; show++ {
			n.server.Unload(show)
		}
	})
	if k.w.tracing {
		k.w.say(k.name, "the group is gone: distrust all shows%s", fate)
	}
	for show := int64(1); show <= k.w.shows; show++ {
		k.w.want(show)
	}
}

// keep stays the owner of the batch in hand.
func (k *worker) keep() {
	ids := slices.Clone(k.ids)
	k.w.send(&k.conn, "keep", func(n *node) { _ = n.server.Take(k.name, ids, false) })
}
