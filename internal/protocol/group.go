package protocol

import "slices"

// seen notes that a consumer asked for something, and makes it where it is new.
func (g *Group) seen(consumer string, now int64) {
	for i := range g.Consumers {
		if g.Consumers[i].Name == consumer {
			g.Consumers[i].Seen = now
			return
		}
	}
	g.Consumers = append(g.Consumers, Consumer{consumer, now})
}

// Read is XREADGROUP ... COUNT count STREAMS key >.
func (s *Server) Read(consumer string, count int) ([]*Entry, error) {
	g := s.group()
	if g == nil {
		return nil, ErrNoGroup
	}
	g.seen(consumer, s.Now)
	from, found := s.Stream.find(g.Delivered)
	if found {
		from++
	}
	entries := slices.Clone(s.Stream.Entries[from:min(from+count, len(s.Stream.Entries))])
	for _, e := range entries {
		g.own(e.ID, consumer, s.Now) // also one that somebody claimed by force before it was delivered
		i, _ := g.pending(e.ID)
		g.Pending[i].Count = 1
		g.Delivered = e.ID
	}
	return entries, nil
}

// own gives an entry to a consumer, without counting a delivery.
func (g *Group) own(id ID, consumer string, now int64) {
	i, ok := g.pending(id)
	if !ok {
		g.Pending = slices.Insert(g.Pending, i, Pending{ID: id, Consumer: consumer, At: now, Count: 1})
		return
	}
	g.Pending[i].Consumer, g.Pending[i].At = consumer, now
}

// Claim is XAUTOCLAIM from the beginning: it takes entries that have been idle for that many ms. deleted are ids that were pending
// and are no longer in the stream.
func (s *Server) Claim(consumer string, idle int64, count int) (entries []*Entry, deleted []ID, err error) {
	g := s.group()
	if g == nil {
		return nil, nil, ErrNoGroup
	}
	g.seen(consumer, s.Now)
	for i := 0; i < len(g.Pending) && len(entries) < count; {
		p := &g.Pending[i]
		e := s.Entry(p.ID)
		if e == nil { // Redis forgets these without looking how long they were idle
			deleted = append(deleted, p.ID)
			g.Pending = slices.Delete(g.Pending, i, i+1)
			continue
		}
		if s.Now-p.At >= idle {
			p.Consumer, p.At = consumer, s.Now
			p.Count++
			entries = append(entries, e)
		}
		i++
	}
	return entries, deleted, nil
}

// Take is XCLAIM ... 0 ids JUSTID: with force also what is pending with nobody.
func (s *Server) Take(consumer string, ids []ID, force bool) error {
	g := s.group()
	if g == nil {
		return ErrNoGroup
	}
	g.seen(consumer, s.Now)
	for _, id := range ids {
		i, ok := g.pending(id)
		switch {
		case s.Entry(id) == nil:
			if ok {
				g.Pending = slices.Delete(g.Pending, i, i+1)
			}
		case ok || force:
			g.own(id, consumer, s.Now)
		}
	}
	return nil
}

// Owned reports whether an entry is pending with somebody (XPENDING).
func (s *Server) Owned(id ID) bool {
	g := s.group()
	if g == nil {
		return false
	}
	_, ok := g.pending(id)
	return ok
}

// Delivered are the oldest entries that were delivered to some consumer (XINFO GROUPS, XRANGE).
func (s *Server) Delivered(count int) ([]*Entry, error) {
	g := s.group()
	if g == nil {
		return nil, ErrNoGroup
	}
	end, found := s.Stream.find(g.Delivered)
	if found {
		end++
	}
	return slices.Clone(s.Stream.Entries[:min(end, count)]), nil
}

// DeleteConsumer is XGROUP DELCONSUMER: what it had is pending with nobody.
func (s *Server) DeleteConsumer(consumer string) (pending int) {
	g := s.group()
	if g == nil {
		return 0
	}
	g.Consumers = slices.DeleteFunc(g.Consumers, func(c Consumer) bool { return c.Name == consumer })
	before := len(g.Pending)
	g.Pending = slices.DeleteFunc(g.Pending, func(p Pending) bool { return p.Consumer == consumer })
	return before - len(g.Pending)
}

// ConsumerLives reports whether some consumer asked for something within that many ms.
func (s *Server) ConsumerLives(within int64) bool {
	g := s.group()
	if g == nil {
		return false
	}
	return slices.ContainsFunc(g.Consumers, func(c Consumer) bool { return s.Now-c.Seen < within })
}

// Leave is leave.lua: it deletes a consumer that owns nothing.
func (s *Server) Leave(consumer string) {
	g := s.group()
	if g == nil || slices.ContainsFunc(g.Pending, func(p Pending) bool { return p.Consumer == consumer }) {
		return
	}
	s.DeleteConsumer(consumer)
}

// Bury is bury.lua.
func (s *Server) Bury(id ID, reason string) bool {
	found := s.Entry(id) != nil
	if !s.ack(id) {
		return false
	}
	if found {
		s.Dead = append(s.Dead, Dead{id, reason})
		s.remove(id)
	}
	return true
}
