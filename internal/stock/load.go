package stock

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// load builds the units per user anew and calls load.lua.
func (r *Resyncer) load(ctx context.Context, row Row, times SaleTimes, token string) (again bool, err error) {
	shards := r.ledger.shards
	built := shards.Users(row.Show) + ":" + token
	for range 3 {
		users, err := r.buildUsers(ctx, row, built)
		if err != nil {
			return true, err
		}
		reply, err := run(ctx, r.ledger.client, r.ledger.scripts.load, []string{shards.Show(row.Show), shards.Users(row.Show), built},
			token, row.Epoch, row.Capacity-row.Reserved, row.Limit,
			times.Version, times.Opens.UnixMilli(), times.Closes.UnixMilli(), times.Starts.UnixMilli(), users)
		if err != nil {
			return true, fmt.Errorf("load: %w", err)
		}
		switch reply.word() {
		case "ok":
			return false, nil
		case "lost":
			return false, errRobbed
		case "stale":
			return true, nil
		}
		// "users": the hash that was built is not whole; once more.
	}
	return true, errors.New("load: the units per user could not be built")
}

// buildUsers writes the confirmed units per user of a show with a limit into a hash of its own, and returns their number.
func (r *Resyncer) buildUsers(ctx context.Context, row Row, key string) (int, error) {
	client := r.ledger.client
	if err := client.Del(ctx, key).Err(); err != nil {
		return 0, fmt.Errorf("build the units per user: %w", err)
	}
	if row.Limit == 0 {
		return 0, nil
	}
	users, fields := 0, make([]any, 0, 2000)
	flush := func() error {
		if len(fields) == 0 {
			return nil
		}
		pipe := client.Pipeline()
		pipe.HSet(ctx, key, fields...)
		pipe.Expire(ctx, key, time.Hour) // if we die, it goes by itself; load.lua takes the limit off
		_, err := pipe.Exec(ctx)
		fields = fields[:0]
		return err
	}
	err := r.confirmed.ConfirmedByUser(ctx, row.Show, func(user int64, units int) error {
		users++
		if fields = append(fields, strconv.FormatInt(user, 10), units); len(fields) == cap(fields) {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return 0, fmt.Errorf("build the units per user: %w", err)
	}
	return users, nil
}
