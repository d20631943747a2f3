package protocol

import "strings"

// Settlement is what settle gets.
type Settlement struct {
	Entry     ID
	Show      int64
	User      int64
	Epoch     int64
	Seq       int64
	UnitsBack int64
	CountBack int64
	Void      string
}

// Settle is settle.lua. A number that is garbled stays as it is, as it does there.
func (s *Server) Settle(list ...Settlement) int64 {
	own := make([]bool, len(list))
	settled := int64(0)
	for i, a := range list {
		found := s.Entry(a.Entry)
		switch {
		case s.Mistakes.SettleByFirst && i > 0:
			own[i] = own[0]
		case found == nil:
			own[i] = s.Mistakes.SettleAgain
		case s.Mistakes.SettleAnyEntry:
			own[i] = true
		default:
			own[i] = found.Show == itoa(a.Show) && found.Epoch == itoa(a.Epoch) && found.Seq == itoa(a.Seq)
		}
		if own[i] {
			settled++
			s.ack(a.Entry)
			s.remove(a.Entry) // at once, so that one that comes twice counts once
		}
	}
	for i, a := range list {
		if own[i] {
			s.count(a)
		}
	}
	return settled
}

// count is what settling an entry changes beside the stream.
func (s *Server) count(a Settlement) {
	show := s.Show(a.Show)
	if now, ok := show.Get("epoch"); ok && now == itoa(a.Epoch) || ok && s.Mistakes.SettleAnyEpoch {
		_, _ = show.add("settled", 1)
		if a.UnitsBack > 0 {
			_, _ = show.add("left", a.UnitsBack)
		}
		if users, user := s.UsersOf(a.Show), itoa(a.User); a.CountBack > 0 && users.Has(user) {
			if n, err := users.add(user, -a.CountBack); err == nil && n <= 0 {
				users.Delete(user)
			}
		}
	}
	if a.Void == "" {
		return
	}
	markers, field := s.markers(a.User), "c:"+a.Void
	if marker, ok := markers.Get(field); ok {
		if bar := strings.LastIndexByte(marker, '|'); bar >= 0 && marker[bar+1:] == a.Entry.String() {
			markers.Delete(field)
			if len(markers.Hash) == 0 {
				*markers = Markers{}
			}
		}
	}
}
