package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
)

// sellDemoShows books what is said to be sold of the demo shows, the way of every booking: through the box office, the stream
// and the recorder. A show that was ever loaded is left alone.
func sellDemoShows(ctx context.Context, s *system.System, accounts *account.Accounts, customer account.User, ids map[string]int64) error {
	rows, err := s.Stock.Rows(ctx)
	if err != nil {
		return err
	}
	var unsold []demoShow
	for _, d := range demoShows() {
		if row, ok := rows[ids[d.title]]; ok && d.sold > 0 && row.Epoch == 0 {
			unsold = append(unsold, d)
		}
	}
	if len(unsold) == 0 {
		return nil
	}
	buyers, err := demoBuyers(ctx, accounts, customer)
	if err != nil {
		return err
	}

	// Nothing is sold without a guardian; where nothing else runs, it is this one.
	guarded, end := context.WithCancel(ctx)
	var guardian sync.WaitGroup
	guardian.Go(func() { _ = s.Guardian.Run(guarded) }) // it says in the log what it cannot do
	defer guardian.Wait()
	defer end()
	if err := waitForFence(ctx, s); err != nil {
		return err
	}
	front := s.OpenFront()
	defer front.Loader.Wait()
	for _, d := range unsold {
		if err := sellDemoShow(ctx, s, front.BoxOffice, buyers, d, ids[d.title]); err != nil {
			return fmt.Errorf("sell the demo show %s: %w", d.title, err)
		}
	}
	return nil
}

func waitForFence(ctx context.Context, s *system.System) error {
	ctx, cancel := context.WithTimeout(ctx, s.Config.StartTimeout)
	defer cancel()
	for {
		err := s.Ledger.CheckFence(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the fence to open: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// sellDemoShow has each buyer in turn book as much as allowed, and records it. The last one takes what is left to sell.
func sellDemoShow(ctx context.Context, s *system.System, office *booking.BoxOffice, buyers []account.User, d demoShow, id int64) error {
	sold := 0
	for _, buyer := range buyers {
		units := min(d.limit, d.sold-sold)
		if units == 0 {
			break
		}
		_, _, err := office.Reserve(ctx, booking.Booking{User: buyer.ID, Show: id, Units: units, Key: "demo"})
		if sooner := (*stock.SoldOutError)(nil); errors.As(err, &sooner) || errors.Is(err, stock.ErrClosed) {
			break // others were quicker, or an older seed did not come this far
		}
		if err != nil {
			return err
		}
		sold += units
	}
	return s.Reader.Drain(ctx, s.Shards.Of(id))
}

// demoBuyers returns the people who have bought tickets before anyone else came: the demo customer, and some who have a
// password that nobody knows.
func demoBuyers(ctx context.Context, accounts *account.Accounts, customer account.User) ([]account.User, error) {
	buyers := []account.User{customer}
	for i, name := range []string{
		"박서연", "이도현", "Emma Lindqvist", "최지우", "정하준", "Daniel Okafor", "강수아", "조은우", "Mina Sato", "윤시우",
		"임하린", "Lucas Meyer", "한지호", "오유나", "Sofia Rossi",
	} {
		buyer := demoAccount{fmt.Sprintf("buyer-%02d@neticket.test", i+1), rand.Text(), name, account.Customer}
		user, err := buyer.ensure(ctx, accounts)
		if err != nil {
			return nil, err
		}
		buyers = append(buyers, user)
	}
	return buyers, nil
}
