package systemtest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// unblock ends the reads that wait for new entries, as the end of their time would, until done is closed: so that a worker
// which stops does not hold its test up for a second.
func (r *Rig) unblock(done <-chan struct{}) {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-done:
			return
		case <-poll.C:
		}
		clients := r.Redis.ClientList(context.Background()).Val()
		for client := range strings.Lines(clients) {
			var id int64
			if _, err := fmt.Sscanf(client, "id=%d", &id); err == nil && strings.Contains(client, "cmd=xreadgroup") {
				r.Redis.ClientUnblock(context.Background(), id)
			}
		}
	}
}
