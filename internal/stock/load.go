package stock

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// load builds the units per user anew and calls load.lua.
func (s *steps) load(ctx context.Context, row Row, times SaleTimes) (again bool, err error) {
	built := s.ledger.shards.Users(row.Show) + ":" + s.token
	for range 3 {
		users, err := s.buildUsers(ctx, row, built)
		if err != nil {
			return true, err
		}
		switch word, err := s.callLoad(ctx, row, times, built, users); {
		case err != nil:
			return false, err
		case word == "ok":
			return false, nil
		case word == "lost":
			return false, errRobbed
		case word == "stale" && s.unanswered: // that call may still arrive, and find what another bump has cleared
			return false, errors.New("load: the show was distrusted while a call was not answered")
		case word == "stale":
			return true, nil
		}
		// "users": the hash that was built is not whole; once more.
	}
	return true, errors.New("load: the units per user could not be built")
}

// callLoad calls load.lua until it is answered. A call that was not answered may still arrive: after another raise it would open
// the show under an epoch that is MySQL's no more. So it is the same call that is made again, which does no harm, and where no
// answer ever comes, the resync ends here and another one, under another token, takes the show over.
func (s *steps) callLoad(ctx context.Context, row Row, times SaleTimes, built string, users int) (word string, err error) {
	s.silence() // an open show has no holder: a beat would take that for a robbery
	shards := s.ledger.shards
	for try := range 10 {
		if try > 0 && !sleep(ctx, time.Duration(try)*20*time.Millisecond) {
			break
		}
		var reply list
		reply, err = run(ctx, s.ledger.client, s.ledger.scripts.load, []string{shards.Show(row.Show), shards.Users(row.Show), built},
			s.token, row.Epoch, row.Capacity-row.Reserved, row.Limit,
			times.Version, times.Opens.UnixMilli(), times.Closes.UnixMilli(), times.Starts.UnixMilli(), users)
		if err == nil {
			return reply.word(), nil
		}
		s.unanswered = true
	}
	return "", fmt.Errorf("load: %w", err)
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
