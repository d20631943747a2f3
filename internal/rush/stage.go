package rush

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/showlist"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system"
)

const (
	startsIn = 30 * 24 * time.Hour
	// closesIn closes the sale of a rush that was killed and could not do it.
	closesIn    = time.Hour
	closeWithin = 15 * time.Second
	perBuyer    = 1 // tickets; also the show's limit, so that a booking that is done twice shows
)

// stage is the show of a rush, and its buyers.
type stage struct {
	show   show.Show
	terms  stock.Terms
	buyers []buyer
}

// build makes the show, on sale now, and the customers with their tokens, who have no password.
func build(ctx context.Context, s *system.System, o Options) (*stage, error) {
	if len(s.Config.TokenSecrets) == 0 {
		return nil, errors.New("NETICKET_TOKEN_SECRET is required: the one of the API")
	}
	signer, err := account.NewSigner(s.Config.TokenSecrets, account.TokenLife, time.Now)
	if err != nil {
		return nil, err
	}
	run, now := strings.ToLower(rand.Text()[:8]), time.Now()
	list := []showlist.Show{{
		Draft: show.Draft{
			Title: fmt.Sprintf("Rush %s: %s buyers, %s tickets", run, Thousands(o.Buyers), Thousands(o.Capacity)), Venue: "neticket rush",
			Description: "Made by `neticket rush` to try this system under load. Its sale closes when the rush is over.",
			SalesOpenAt: now.Add(-time.Hour), SalesCloseAt: now.Add(closesIn), StartsAt: now.Add(startsIn),
		},
		Terms: stock.Terms{Capacity: o.Capacity, Limit: perBuyer},
	}}
	var bad invalid.Error
	list[0].Draft.Check(&bad)
	list[0].Terms.Check(&bad)
	if err := bad.OrNil(); err != nil {
		return nil, err
	}
	ids, err := s.ImportShows(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("make the show: %w", err)
	}
	made := &stage{terms: list[0].Terms}
	if made.show, err = s.Shows.Get(ctx, ids[0]); err != nil {
		return nil, err
	}
	emails := make([]string, o.Buyers)
	for i := range emails {
		emails[i] = fmt.Sprintf("rush-%06d-%s@neticket.test", i+1, run)
	}
	users, err := account.New(s.DB, s.Log, time.Now).CreateBulk(ctx, emails, "Rush")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the buyers: %w", err), made.close(ctx, s))
	}
	made.buyers = make([]buyer, len(users))
	for i, user := range users {
		made.buyers[i].user = user.ID
		made.buyers[i].token, _ = signer.Issue(user)
	}
	return made, nil
}

// close ends the sale now, also after ctx has ended: the show would be in everybody's way.
func (st *stage) close(ctx context.Context, s *system.System) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	draft := show.Draft{
		Title: st.show.Title, Venue: st.show.Venue, Description: st.show.Description, TimeZone: st.show.TimeZone,
		StartsAt: st.show.StartsAt, SalesOpenAt: st.show.SalesOpenAt, SalesCloseAt: time.Now(),
	}
	var bad invalid.Error
	draft.Check(&bad)
	if err := bad.OrNil(); err != nil {
		return err
	}
	_, err := s.OpenBackOffice(s.OpenFront()).UpdateShow(ctx, auditlog.Actor{}, st.show.ID, draft, st.terms.Capacity, st.terms.Limit)
	return err
}
