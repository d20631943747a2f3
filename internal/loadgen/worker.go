package loadgen

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// readBuffer holds an answer of the JSON API whole. There is one for each connection.
const readBuffer = 2 << 10

// worker sends one request at a time, on a connection of its own.
type worker struct {
	generator *Generator
	number    int

	mu   sync.Mutex // held to change conn, and by interrupt, which alone runs beside the worker
	conn *net.TCPConn

	reader   *bufio.Reader
	request  []byte
	response response
}

// connect opens the worker's connection, if it has none.
func (w *worker) connect(ctx context.Context, deadline time.Time) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.generator.dialer.dial(ctx, w.number, deadline)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.conn = conn
	w.mu.Unlock()
	w.generator.open.Add(1)
	if w.reader == nil {
		w.reader = bufio.NewReaderSize(conn, readBuffer)
	} else {
		w.reader.Reset(conn)
	}
	return nil
}

// hangUp closes the worker's connection, if it has one.
func (w *worker) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_ = w.conn.Close() // nothing that was sent is still wanted
		w.conn = nil
		w.generator.open.Add(-1)
	}
}

// interrupt ends what the worker reads or writes. The worker itself hangs up.
func (w *worker) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_ = w.conn.SetDeadline(time.Unix(1, 0)) // it fails on a closed connection only
	}
}

// greet opens the connection and, unless the greeting is empty, sends that and reads its answer.
func (w *worker) greet(ctx context.Context, greeting []byte) error {
	deadline := time.Now().Add(w.generator.options.Timeout)
	err := w.connect(ctx, deadline)
	if err == nil && len(greeting) > 0 {
		stop := context.AfterFunc(ctx, w.interrupt)
		defer stop()
		err = w.exchange(ctx, Request{Bytes: greeting}, deadline)
	}
	if err != nil || w.response.close {
		w.hangUp()
	}
	return err
}

// send sends one request and reads its answer. The end of ctx has to interrupt the worker.
func (w *worker) send(ctx context.Context, r Request) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	deadline := time.Now().Add(w.generator.options.Timeout)
	if err := w.connect(ctx, deadline); err != nil {
		return err
	}
	err := w.exchange(ctx, r, deadline)
	if err != nil || r.Drop != Keep || w.response.close || !w.generator.options.Keep {
		w.hangUp()
	}
	return err
}

func (w *worker) exchange(ctx context.Context, r Request, deadline time.Time) error {
	w.response = response{body: w.response.body[:0]}
	if err := w.conn.SetDeadline(deadline); err != nil {
		return err
	}
	if ctx.Err() != nil { // this deadline may have undone an interrupt
		return ctx.Err()
	}
	if _, err := w.conn.Write(r.Bytes); err != nil {
		return err
	}
	w.generator.sent.Add(1)
	switch r.Drop {
	case Unread:
		return w.conn.SetLinger(-1) // closed in the usual way: a reset might overtake the request
	case OnAnswer:
		_, err := w.reader.Peek(1)
		return err
	case Keep:
	}
	if err := w.response.read(w.reader); err != nil {
		return err
	}
	w.generator.answered.Add(1)
	return nil
}

// answer is what became of a request that was due at a time, and whose sending began at another.
func (w *worker) answer(ctx context.Context, drop Drop, due, began time.Time, err error) Answer {
	a := Answer{Outcome: outcomeOf(ctx, err), Err: err, Due: due, Latency: time.Since(due), Waited: max(0, began.Sub(due))}
	switch {
	case err != nil:
	case drop != Keep:
		a.Outcome = Dropped
	default:
		a.Status, a.RetryAfter, a.Body = w.response.status, w.response.retryAfter, w.response.body
		if w.response.problem {
			a.Code = problemCode(a.Body)
		}
	}
	return a
}
