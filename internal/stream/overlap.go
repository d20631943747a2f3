package stream

import "sync"

// overlap is the full batches of a shard that are being handled. More waits behind a full batch, so the next one is read and handed
// out meanwhile: what it needs is ready when the first one's locks are free, and the first is settled while the second is recorded.
type overlap struct {
	slots   chan struct{}
	batches sync.WaitGroup
	failed  chan error // has room for one of each slot
}

const overlapMost = 2

func newOverlap() *overlap {
	return &overlap{slots: make(chan struct{}, overlapMost), failed: make(chan error, overlapMost)}
}

// failure returns the error of a batch that has failed, once.
func (o *overlap) failure() error {
	select {
	case err := <-o.failed:
		return err
	default:
		return nil
	}
}

// handle calls do beside the caller, as soon as a slot is free.
func (o *overlap) handle(do func() error) {
	o.slots <- struct{}{}
	o.batches.Go(func() {
		defer func() { <-o.slots }()
		if err := do(); err != nil {
			select {
			case o.failed <- err:
			default: // others have failed, too
			}
		}
	})
}
