package main

import (
	"fmt"
	"io"
	"sync"
)

// liveLine is the last line of a terminal, written over again and again.
type liveLine struct {
	mu  sync.Mutex
	out io.Writer // nil: there is no terminal
}

// liveLine returns the line of the terminal that errors go to, and what shows a text there. Elsewhere nothing is shown.
func (t tool) liveLine() (*liveLine, func(string)) {
	l := &liveLine{}
	if _, ok := terminal(t.logs); ok {
		l.out = t.logs
	}
	return l, l.show
}

func (l *liveLine) show(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out != nil {
		_, _ = fmt.Fprintf(l.out, "\r\x1b[K%.*s", rushWidth, text) // nobody needs it
	}
}

func (l *liveLine) clear() { l.show("") }
