package protocol

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// ID of an entry.
type ID struct{ Ms, Seq int64 }

func (id ID) String() string {
	return strconv.FormatInt(id.Ms, 10) + "-" + strconv.FormatInt(id.Seq, 10)
}

// Compare orders ids as a stream does.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.Ms, other.Ms), cmp.Compare(id.Seq, other.Seq))
}

// ParseID reads an id; a text that is none gives the zero id.
func ParseID(text string) ID {
	ms, seq, _ := strings.Cut(text, "-")
	var id ID
	id.Ms, _ = strconv.ParseInt(ms, 10, 64)
	id.Seq, _ = strconv.ParseInt(seq, 10, 64)
	return id
}

// Entry of the stream; it never changes.
type Entry struct {
	ID          ID
	Kind        string
	Reservation string
	Show        string
	User        string
	Units       string
	Epoch       string
	Seq         string
	Rest        string // instance that waits and trace context, joined by "|"
}

// Stream with its consumer group, if there is one.
type Stream struct {
	Last    ID // the last id given out
	Entries []*Entry
	Group   *Group
}

// Group is the consumer group.
type Group struct {
	Delivered ID
	Consumers []Consumer
	Pending   []Pending // in the order of ids
}

// Consumer of the group. Seen is when it last asked for something.
type Consumer struct {
	Name string
	Seen int64
}

// Pending is an entry that was delivered to a consumer and is not acked.
type Pending struct {
	ID       ID
	Consumer string
	At       int64 // when it was delivered or claimed last
	Count    int
}

// ErrNoGroup is Redis's answer where the stream or the group is missing.
var ErrNoGroup = errors.New("NOGROUP No such key or consumer group")

func (s *Stream) clone() *Stream {
	c := *s
	c.Entries = slices.Clone(s.Entries)
	if s.Group != nil {
		g := *s.Group
		g.Consumers, g.Pending = slices.Clone(g.Consumers), slices.Clone(g.Pending)
		c.Group = &g
	}
	return &c
}

func (s *Stream) find(id ID) (int, bool) {
	return slices.BinarySearchFunc(s.Entries, id, func(e *Entry, id ID) int { return e.ID.Compare(id) })
}

// Entry returns the entry with an id, or nil.
func (s *Server) Entry(id ID) *Entry {
	if s.Stream == nil {
		return nil
	}
	if i, ok := s.Stream.find(id); ok {
		return s.Stream.Entries[i]
	}
	return nil
}

// Entries is XRANGE of everything.
func (s *Server) Entries() []*Entry {
	if s.Stream == nil {
		return nil
	}
	return s.Stream.Entries
}

// ErrAppend is Redis's answer where a stream takes no more.
var ErrAppend = errors.New("ERR The stream has exhausted the last possible ID, unable to add more items")

// append is XADD NOMKSTREAM '*'; false where there is no stream.
func (s *Server) append(e Entry) (ID, bool, error) {
	if s.Stream == nil {
		return ID{}, false, nil
	}
	if s.FailAt > 0 {
		if s.FailAt--; s.FailAt == 0 {
			return ID{}, false, ErrAppend
		}
	}
	e.ID = ID{Ms: s.Now}
	if len(s.Appends) > 0 {
		e.ID.Ms, s.Appends = s.Appends[0], s.Appends[1:]
	}
	if last := s.Stream.Last; e.ID.Compare(last) <= 0 {
		e.ID = ID{last.Ms, last.Seq + 1}
	}
	s.Stream.Last = e.ID
	s.Stream.Entries = append(s.Stream.Entries, &e)
	return e.ID, true, nil
}

// remove is XDEL.
func (s *Server) remove(id ID) {
	if s.Stream == nil {
		return
	}
	if i, ok := s.Stream.find(id); ok {
		s.Stream.Entries = slices.Delete(s.Stream.Entries, i, i+1)
	}
}

// createGroup is XGROUP CREATE ... 0 MKSTREAM.
func (s *Server) createGroup() {
	if s.Stream == nil {
		s.Stream = &Stream{}
	}
	if s.Stream.Group == nil {
		s.Stream.Group = &Group{}
	}
}

// DestroyGroup is XGROUP DESTROY.
func (s *Server) DestroyGroup() {
	if s.Stream != nil {
		s.Stream.Group = nil
	}
}

// group returns the group, or nil.
func (s *Server) group() *Group {
	if s.Stream == nil {
		return nil
	}
	return s.Stream.Group
}

func (g *Group) pending(id ID) (int, bool) {
	return slices.BinarySearchFunc(g.Pending, id, func(p Pending, id ID) int { return p.ID.Compare(id) })
}

// ack is XACK of one id; it reports whether it was pending.
func (s *Server) ack(id ID) bool {
	g := s.group()
	if g == nil {
		return false
	}
	i, ok := g.pending(id)
	if ok {
		g.Pending = slices.Delete(g.Pending, i, i+1)
	}
	return ok
}

// Trim is XDEL by hand: the entry is gone, and stays pending if it was.
func (s *Server) Trim(id ID) { s.remove(id) }
