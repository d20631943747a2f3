package booking

import "github.com/neticket/neticket/internal/stock"

// Entry is what a request appended to its shard's stream: the ledger writes and reads it, Plan decides it.
type (
	Entry = stock.Entry
	Kind  = stock.Kind
)

// The kinds of entries.
const (
	Reserve = stock.Reserve
	Cancel  = stock.Cancel
)
