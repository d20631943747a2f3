package protocol

import (
	"reflect"
	"testing"
)

// onSale returns a server with one show of 5 units, a limit of 3, and a subscriber.
func onSale(t *testing.T) *Server {
	t.Helper()
	s := NewServer(1, 2)
	s.Subscribers = 1
	for _, mode := range []string{Stop, Make, Bump} {
		s.Pause(1, "a", 0, mode)
	}
	l := Loading{Show: 1, Token: "a", Epoch: 1, Left: 5, Limit: 3, Version: 1, Opens: 1000, Closes: 2000, Starts: 3000}
	if answer := s.Load(l); answer.Word() != "ok" {
		t.Fatal(answer)
	}
	return s
}

// ask makes one request of a kind, of user 1 for one unit.
func ask(s *Server, kind, key string) Text {
	return s.Requests(Bounds{MaxBacklog: 9, Remember: 60}, Request{Kind: kind, Reservation: key, User: 1, Show: 1, Units: 1})[0]
}

// The real scripts ask Redis for the time, which a test cannot set; so the boundaries are tried here alone.
func TestTimes(t *testing.T) {
	t.Parallel()
	for now, want := range map[int64][2]string{
		999: {"not_open", "ok"}, 1000: {"ok", "ok"}, 1999: {"ok", "ok"}, 2000: {"closed", "ok"}, 2999: {"closed", "ok"}, 3000: {"closed", "started"},
	} {
		s := onSale(t)
		s.Now = now
		if got := [2]string{ask(s, Reserve, "r").Word(), ask(s, Cancel, "r").Word()}; got != want {
			t.Errorf("at %d: %v, want %v", now, got, want)
		}
	}
}

func TestMarkersExpire(t *testing.T) {
	t.Parallel()
	s := onSale(t)
	s.Now = 1500
	if answer := ask(s, Reserve, "r"); answer.Word() != "ok" {
		t.Fatal(answer)
	}
	for now, want := range map[int64]bool{1500 + 60_000 - 1: true, 1500 + 60_000: false} {
		c := s.Clone()
		c.Now = now
		if _, there := c.Marker(1, "r:r"); there != want {
			t.Errorf("at %d the marker is there: %v", now, there)
		}
	}
}

// A silent holder of a pause is respected up to a time.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	for now, want := range map[int64]string{1500 + 9_999: "running", 1500 + 10_000: "ok"} {
		s := onSale(t)
		s.Now = 1500
		s.Pause(1, "a", 10_000, Stop)
		s.Now = now
		if got := s.Pause(1, "b", 10_000, Stop).Word(); got != want {
			t.Errorf("at %d: %s, want %s", now, got, want)
		}
	}
}

// What is done to a server does not show in its clone: that is how history is lost.
func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	s := onSale(t)
	s.Now = 1500
	for _, key := range []string{"a", "b"} {
		ask(s, Reserve, key)
	}
	s.BuildUsers(1, "b", Hash{{"1", "1"}})
	_, _ = s.Read("w1", 1)
	before, again := s.Clone(), s.Clone()
	if before.Subscribers != 0 {
		t.Error("a clone has a subscriber")
	}
	entry := s.Entries()[0].ID
	if n := s.Settle(Settlement{Entry: entry, Show: 1, User: 1, Epoch: 1, Seq: 1, UnitsBack: 1, CountBack: 1}); n != 1 {
		t.Fatal(n)
	}
	_, _ = s.Read("w2", 9)
	_ = s.Take("w2", []ID{entry}, true)
	s.Pause(1, "b", 0, Bump)
	s.Unload(1)
	s.BuildUsers(1, "b", nil)
	s.Bury(s.Entries()[0].ID, "why")
	ask(s, Cancel, "a")
	if !reflect.DeepEqual(before, again) {
		t.Errorf("the clone changed: %+v, was %+v", before, again)
	}
	if s.FlushAll(); len(*s.Show(1)) != 0 || len(*before.Show(1)) == 0 {
		t.Error("FLUSHALL empties the server, and not its clone")
	}
}
