package simulation

import "math/rand/v2"

// luck says which misfortunes a schedule may have. Most have few, so that each can do its harm alone.
type luck struct {
	moves      bool // connections to a server that is not the master any more are found out sooner or later
	network    bool // calls and answers are lost or late
	mysql      bool // commits fail, or their answers are lost or late
	crashes    bool // processes die
	slow       bool // processes sleep for long, with whatever they have in hand
	unstorable bool // a row cannot be stored
	impatient  bool // resyncs that do not drain
	terms      bool // resyncs that change capacity and limit
	resyncs    bool // resyncs that nobody needs
	appends    bool // an append fails, which may be in the middle of a call
	consumers  bool // consumers are deleted by hand
	byHand     bool // left is set by hand
	keys       bool // one key is deleted
	flush      bool // FLUSHALL
	restarts   bool // the server restarts, with all its data
	cuts       bool // the server restarts, with the end of its history cut off
	failOvers  bool // a lagging replica becomes the master, and back
}

func drawLuck(random *rand.Rand) luck {
	var l luck
	for _, bad := range []*bool{&l.network, &l.mysql, &l.crashes, &l.slow, &l.unstorable, &l.impatient, &l.terms, &l.resyncs, &l.appends,
		&l.consumers, &l.byHand, &l.keys, &l.flush, &l.restarts, &l.cuts, &l.failOvers} {
		*bad = random.IntN(4) == 0
	}
	l.moves = random.IntN(4) > 0
	return l
}
