// Package protocol is a model of the Redis side of a shard: its keys, and the scripts that are the only way in, each answering
// word for word as the script of its name. It owns no state of the product and imports nothing of ours; a property test in
// package stock holds it against the real scripts, and package simulation runs the whole protocol on it.
//
// A Server is a plain value: cheap to clone, which is how history is lost, with a clock that its caller sets, without goroutines,
// and the same calls always give the same answers.
package protocol

import "slices"

// Shows and users of a server are counted from 0; their ids, as the scripts get them, are one more.
const first = 1

// Server is what a redis-server holds of one shard, whose consumer group has the name Group.
type Server struct {
	Now     int64     // ms; the caller's to set
	Shows   []Hash    // nt:{tag}:show:<n>
	Users   []Hash    // nt:{tag}:users:<n>
	Built   []Built   // nt:{tag}:users:<n>:<token>
	Markers []Markers // nt:{tag}:user:<n>
	Stream  *Stream   // nt:{tag}:entries; nil: there is none
	Dead    []Dead    // nt:{tag}:dead
	// Subscribers is how many subscribe to the shard's channel. It is no data: no history contains it.
	Subscribers int
	FailAt      int     // which append from now on fails, once: 1 is the next; 0: none
	Appends     []int64 // ms; when the next appends happen, since a server's clock goes on while it runs a script; empty: Now
	Mistakes    Mistakes
}

// Built is the units per user of a show, built under a token.
type Built struct {
	Show  int64
	Token string
	Hash  Hash
}

// Markers is what is remembered of a user's requests.
type Markers struct {
	Hash
	Expires int64 // ms; 0: never
}

// Dead is an entry that could not be decoded.
type Dead struct {
	Entry  ID
	Reason string
}

// Mistakes are deliberate differences from the scripts, for tests that must notice them.
type Mistakes struct {
	NoFence          bool // reserve and cancel ask for no subscriber
	ResumeBumped     bool // resume puts a show back after somebody said bump
	SettleAgain      bool // settle goes on where the entry is gone
	SettleByFirst    bool // settle looks at the first entry of a batch, and takes the rest for theirs
	SettleAnyEpoch   bool // settle counts and gives back without comparing the epochs
	SettleAnyEntry   bool // settle does not look whether the id still belongs to that show, epoch and seq
	LoadAnyToken     bool // load does not look who holds the pause
	LoadAnyEpoch     bool // load does not look whether the hash's epoch is newer
	NoTakeOver       bool // a silent holder of a pause is respected for ever
	NoDistrust       bool // unload does nothing
	ForgetRepeats    bool // reserve does not look at the marker
	StaleLeft        bool // all requests of a call see what was left when it began
	TakeWithoutEntry bool // reserve takes units although the append failed
	KeepBump         bool // load leaves the word bump in the hash
	LoadDistrusted   bool // load does not look whether the show was distrusted since bump
	MakeAtOnce       bool // pause makes a lost stream or group itself, and distrusts nothing
}

// NewServer returns an empty server for that many shows and users.
func NewServer(shows, users int) *Server {
	return &Server{Now: 1, Shows: make([]Hash, shows), Users: make([]Hash, shows), Markers: make([]Markers, users)}
}

// Clone returns a copy that shares nothing that changes. Nobody subscribes to it.
func (s *Server) Clone() *Server {
	c := *s
	c.Subscribers, c.FailAt, c.Appends = 0, 0, nil
	c.Shows, c.Users = cloneAll(s.Shows), cloneAll(s.Users)
	c.Built = slices.Clone(s.Built)
	for i := range c.Built {
		c.Built[i].Hash = c.Built[i].Hash.clone()
	}
	c.Markers = slices.Clone(s.Markers)
	for i := range c.Markers {
		c.Markers[i].Hash = c.Markers[i].clone()
	}
	c.Dead = slices.Clone(s.Dead)
	if s.Stream != nil {
		c.Stream = s.Stream.clone()
	}
	return &c
}

// FlushAll deletes every key. Subscriptions stay.
func (s *Server) FlushAll() {
	empty := NewServer(len(s.Shows), len(s.Markers))
	empty.Now, empty.Subscribers, empty.Mistakes = s.Now, s.Subscribers, s.Mistakes
	*s = *empty
}

// markers returns what is remembered of a user, if it has not expired.
func (s *Server) markers(user int64) *Markers {
	m := &s.Markers[user-first]
	if m.Expires != 0 && m.Expires <= s.Now {
		*m = Markers{}
	}
	return m
}

// Marker returns a field of a user's hash, as HGET does.
func (s *Server) Marker(user int64, field string) (string, bool) { return s.markers(user).Get(field) }

// Show returns a show's hash.
func (s *Server) Show(show int64) *Hash { return &s.Shows[show-first] }

// UsersOf returns the units per user of a show.
func (s *Server) UsersOf(show int64) *Hash { return &s.Users[show-first] }

// BuildUsers deletes the units per user that were built under a token, and builds them anew.
func (s *Server) BuildUsers(show int64, token string, users Hash) {
	s.deleteBuilt(show, token)
	if len(users) > 0 {
		s.Built = append(s.Built, Built{show, token, users.clone()})
	}
}

func (s *Server) built(show int64, token string) Hash {
	for _, b := range s.Built {
		if b.Show == show && b.Token == token {
			return b.Hash
		}
	}
	return nil
}

func (s *Server) deleteBuilt(show int64, token string) {
	s.Built = slices.DeleteFunc(s.Built, func(b Built) bool { return b.Show == show && b.Token == token })
}

// expire sets when a user is forgotten.
func (m *Markers) expire(now, seconds int64) { m.Expires = now + seconds*1000 }
