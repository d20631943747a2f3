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

// Settle is settle.lua. An error of HINCRBY ends it half-way, as it does there.
func (s *Server) Settle(a Settlement) (int64, error) {
	found := s.Entry(a.Entry)
	if found == nil {
		s.ack(a.Entry)
		if !s.Mistakes.SettleAgain {
			return 0, nil
		}
	}
	epoch := itoa(a.Epoch)
	if found != nil && !s.Mistakes.SettleAnyEntry &&
		(found.Show != itoa(a.Show) || found.Epoch != epoch || found.Seq != itoa(a.Seq)) {
		return 0, nil
	}
	if !s.ack(a.Entry) && !s.Mistakes.SettleAgain && !s.Mistakes.XackUnread {
		return 0, nil
	}
	s.remove(a.Entry)
	show := s.Show(a.Show)
	if now, ok := show.Get("epoch"); ok && now == epoch || ok && s.Mistakes.SettleAnyEpoch {
		if _, err := show.add("settled", 1); err != nil {
			return 0, err
		}
		if a.UnitsBack > 0 {
			if _, err := show.add("left", a.UnitsBack); err != nil {
				return 0, err
			}
		}
		if users, user := s.UsersOf(a.Show), itoa(a.User); a.CountBack > 0 && users.Has(user) {
			n, err := users.add(user, -a.CountBack)
			if err != nil {
				return 0, err
			}
			if n <= 0 {
				users.Delete(user)
			}
		}
	}
	if a.Void != "" {
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
	return 1, nil
}
