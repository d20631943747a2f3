package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// tty is a terminal, by its file descriptor.
type tty int

// terminal returns the terminal that a reader or writer is, if it is one.
func terminal(stream any) (tty, bool) {
	file, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	return tty(file.Fd()), true
}

// askTwice reads a password that does not appear on the screen, and again, as nobody sees what he mistypes.
func (t tty) askTwice(ctx context.Context, screen io.Writer) (string, error) {
	first, err := t.ask(ctx, screen, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := t.ask(ctx, screen, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

// ask ends with the context, too, and leaves the terminal as it was: an operator who presses Ctrl-C wants to see what he types next.
func (t tty) ask(ctx context.Context, screen io.Writer, prompt string) (string, error) {
	before, err := term.GetState(int(t))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	_, _ = fmt.Fprint(screen, prompt)
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // nothing interrupts a read of a terminal: after Ctrl-C it ends with the process
		text, err := term.ReadPassword(int(t))
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		_, _ = fmt.Fprintln(screen) // the user's own was not shown
		if a.err != nil {
			return "", fmt.Errorf("read the password: %w", a.err)
		}
		return string(a.text), nil
	case <-ctx.Done():
		_, _ = fmt.Fprintln(screen)
		return "", errors.Join(context.Cause(ctx), term.Restore(int(t), before))
	}
}
