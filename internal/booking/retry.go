package booking

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/neticket/neticket/internal/stock"
)

// ofData tells that the server, healthy, refused what it was given. Everything else is unknown and done again, such as 1213
// (deadlock), 1205 (lock wait), 1020 (record changed), TiDB's 8002, 8005, 8022, 8028, 9007, and any broken connection.
func ofData(err error) bool {
	if errors.Is(err, stock.ErrGuard) {
		return true
	}
	var answered *mysql.MySQLError
	if !errors.As(err, &answered) {
		return false
	}
	switch answered.Number {
	case 1048, // column cannot be null
		1062, // duplicate key
		1264, // out of range
		1265, // truncated
		1292, // wrong value
		1366, // wrong value for the column's type or character set
		1406, // too long
		1452, // foreign key
		1644, // SIGNAL of a trigger
		1690, // number out of range
		3819, // MySQL's CHECK
		4025: // MariaDB's CHECK
		return true
	}
	return false
}

// backOff is how long to wait before a batch is done again: at once, nearly, where another transaction was in the way.
func backOff(try int, err error) time.Duration {
	most := 10 * time.Millisecond << min(try, 7) // at most 1.28 s
	var answered *mysql.MySQLError
	if errors.As(err, &answered) && (answered.Number == 1213 || answered.Number == 1020) {
		most = 20 * time.Millisecond
	}
	return most/2 + rand.N(most/2) //nolint:gosec // jitter
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
