package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// screen is a terminal with a person in front of it.
type screen struct {
	t              *testing.T
	person, device *os.File

	mu    sync.Mutex
	shown strings.Builder // what was printed and echoed
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals here:", err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	device, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, person: person, device: device}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 1024)
		for {
			n, err := person.Read(buffer)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.shown.Write(buffer[:n])
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = device.Close(); <-ended; _ = person.Close() })
	return s
}

func (s *screen) shows() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

func (s *screen) echoes() bool {
	state, err := unix.IoctlGetTermios(int(s.device.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}

// answer types a line once the screen shows a prompt and hides what is typed.
func (s *screen) answer(prompt, text string) {
	s.t.Helper()
	servertest.Eventually(s.t, 10*time.Second, prompt, func() bool { return strings.HasSuffix(s.shows(), prompt) && !s.echoes() })
	if _, err := s.person.WriteString(text + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ first, second, fault string }{
		"the same twice": {"battery staple", "battery staple", ""},
		"mistyped":       {"battery staple", "battery stable", "the two passwords differ"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScreen(t)
			type result struct {
				password string
				err      error
			}
			done := make(chan result, 1)
			go func() {
				password, err := tool{in: s.device, logs: s.device}.password(t.Context())
				done <- result{password, err}
			}()
			s.answer("Password: ", tt.first)
			s.answer("The same again: ", tt.second)
			switch got := <-done; {
			case tt.fault != "" && (got.err == nil || got.err.Error() != tt.fault), tt.fault == "" && (got.err != nil || got.password != tt.first):
				t.Errorf("got %q, %v", got.password, got.err)
			}
			if strings.Contains(s.shows(), "battery") || !s.echoes() {
				t.Errorf("shown: %q; the terminal echoes again: %v", s.shows(), s.echoes())
			}
		})
	}
}

// After Ctrl-C the terminal shows again what is typed.
func TestPasswordIsNotAwaitedForEver(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := tool{in: s.device, logs: s.device}.password(ctx)
		done <- err
	}()
	servertest.Eventually(t, 10*time.Second, "the password is asked for", func() bool { return !s.echoes() })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !s.echoes() {
		t.Errorf("%v; the terminal echoes again: %v", err, s.echoes())
	}
	if _, err := s.person.WriteString("\n"); err != nil { // the read, which would end with the process
		t.Fatal(err)
	}
}
