package main

import (
	"context"
	"sync/atomic"
)

// lockPool is how many connections to MySQL the lock has.
const lockPool = 32

// serveLock is the lock: how a booking site without Redis works, and how the first version of this one did. Each booking is one
// transaction that locks the show's row, takes the units, inserts a row and commits. Its handler is the floor's.
func serveLock(args []string) error {
	s, err := openStore(args[1], lockPool)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.makeLockTables(context.Background()); err != nil {
		return err
	}
	var user atomic.Int64
	return serve(args[0], func(ctx context.Context) error { return s.bookUnderLock(ctx, user.Add(1)) })
}
