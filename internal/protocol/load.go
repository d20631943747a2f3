package protocol

import "math"

// Modes of Pause.
const (
	Stop = ""
	Beat = "beat"
	Make = "make"
	Bump = "bump"
)

// Pause is pause.lua; takeOver is in ms.
func (s *Server) Pause(show int64, token string, takeOver int64, mode string) Answer {
	h := s.Show(show)
	paused := h.Text("state") == "paused"
	mine := paused && h.Text("token") == token && h.Has("token")
	if mode != Stop && !mine {
		return Answer{"lost"}
	}
	if paused && !mine {
		at, _ := h.numberOf("paused_at")
		if math.Abs(float64(s.Now)-at) < float64(takeOver) || s.Mistakes.NoTakeOver {
			return Answer{"running"}
		}
	}
	epoch, seq, settled, bump := or0(*h, "epoch"), or0(*h, "seq"), or0(*h, "settled"), or0(*h, "bump")
	lost := "0"
	if mode == Stop && (s.Stream == nil || s.Stream.Group == nil) {
		lost = "1"
	}
	if mode == Make || s.Mistakes.MakeAtOnce {
		s.createGroup()
	}
	h.Set("state", "paused", "token", token, "paused_at", itoa(s.Now))
	if lost == "1" && !s.Mistakes.MakeAtOnce {
		h.Set("distrust", "1")
	}
	if mode == Bump {
		h.Set("bump", "1")
		h.Delete("distrust")
		bump = "1"
	}
	return Answer{"ok", epoch, seq, settled, bump, lost}
}

func or0(h Hash, name string) string {
	if value, ok := h.Get(name); ok {
		return value
	}
	return "0"
}

// Loading is what load gets.
type Loading struct {
	Show                  int64
	Token                 string
	Epoch, Left, Limit    int64
	Version               int64
	Opens, Closes, Starts int64 // ms
	Users                 int64 // how many users the built hash must hold
}

// Load is load.lua.
func (s *Server) Load(l Loading) Answer {
	h := s.Show(l.Show)
	state, epoch := h.Text("state"), itoa(l.Epoch)
	if token, ok := h.Get("token"); (!ok || token != l.Token) && !s.Mistakes.LoadAnyToken {
		return Answer{"lost"}
	}
	was, has := h.Get("epoch")
	if state == "open" && has && was == epoch {
		return Answer{"ok"}
	}
	if state != "paused" && !s.Mistakes.LoadAnyToken {
		return Answer{"lost"}
	}
	newer := false
	if has && !s.Mistakes.LoadAnyEpoch {
		n, _ := number(was)
		newer = n >= float64(l.Epoch)
	}
	if newer || h.Has("distrust") && !s.Mistakes.LoadDistrusted {
		return Answer{"stale", or0(*h, "epoch")}
	}
	built := s.built(l.Show, l.Token)
	if users := int64(len(built)); users != l.Users {
		return Answer{"users", users}
	}
	*s.UsersOf(l.Show) = built
	s.deleteBuilt(l.Show, l.Token)
	version, ok := h.numberOf("version")
	if !ok {
		version = -1
	}
	if version <= float64(l.Version) {
		h.Set("version", itoa(l.Version), "opens", itoa(l.Opens), "closes", itoa(l.Closes), "starts", itoa(l.Starts))
	}
	if !s.Mistakes.KeepBump {
		h.Delete("bump")
	}
	h.Set("state", "open", "epoch", epoch, "left", itoa(l.Left), "seq", "0", "settled", "0", "limit", itoa(l.Limit))
	return Answer{"ok"}
}

// Resume is resume.lua.
func (s *Server) Resume(show int64, token string) Answer {
	h := s.Show(show)
	if held, ok := h.Get("token"); h.Text("state") != "paused" || !ok || held != token {
		return Answer{"lost"}
	}
	switch {
	case h.Has("bump") && !s.Mistakes.ResumeBumped:
		return Answer{"bumped"}
	case h.Has("distrust"):
		h.Set("state", "unloaded")
	case h.Has("left"):
		h.Set("state", "open")
	default:
		*h = nil
	}
	return Answer{"ok"}
}

// Unload is unload.lua.
func (s *Server) Unload(show int64) int64 {
	h := s.Show(show)
	state, ok := h.Get("state")
	if !ok || s.Mistakes.NoDistrust {
		return 0
	}
	h.Set("distrust", "1")
	if state != "paused" {
		h.Set("state", "unloaded")
	}
	return 1
}

// Edit is edit.lua; times are in ms.
func (s *Server) Edit(show, version, opens, closes, starts int64) int64 {
	h := s.Show(show)
	if len(*h) == 0 {
		return 0
	}
	if text, ok := h.Get("version"); ok {
		n, ok := number(text)
		if !ok {
			n = -1
		}
		if n >= float64(version) {
			return 0
		}
	}
	h.Set("version", itoa(version), "opens", itoa(opens), "closes", itoa(closes), "starts", itoa(starts))
	return 1
}
