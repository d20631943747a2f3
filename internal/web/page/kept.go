package page

import (
	"bytes"
	"context"
	"io"

	"github.com/a-h/templ"

	"github.com/neticket/neticket/internal/web/memo"
)

// keptBytes is what the parts of pages that are kept may take, of each kind. A show's page takes about 10 kB, a card 2 kB, so in the rush
// for a few hundred shows, whose units left change with each poll, each part is rendered about once a poll.
const keptBytes = 8 << 20

// kept are the parts of pages that are the same for all visitors, each by all that it shows: the language, the show as it is with its units
// left and its state, and what the form allows. A show that has changed in anything has another key. So a page is as fresh as the show
// that it was asked to show, and whether to keep a part never has to be decided. Personal pages are not kept: each is seen about once.
type kept struct {
	shows    *memo.Cache[showKey, slotted]
	cards    *memo.Cache[cardKey, []byte]
	openings *memo.Cache[cardKey, []byte]
	accepted *memo.Cache[string, Lang] // by what a browser accepts: to read that takes longer than to put a page together
}

type showKey struct {
	lang Lang
	show Show
	most int
}

type cardKey struct {
	lang Lang
	show Show // without what a card does not show
}

func newKept() kept {
	return kept{
		memo.New[showKey, slotted](keptBytes), memo.New[cardKey, []byte](keptBytes), memo.New[cardKey, []byte](keptBytes), memo.New[string, Lang](1 << 20),
	}
}

// keptShow is show, but kept where the form is as it was not filled in yet. The request's key has a slot.
func (p *printer) keptShow(c Detail) templ.Component {
	if c.Units != "1" || len(c.Faults) > 0 || c.TooMany || c.Earlier != "" {
		return p.show(c)
	}
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		body, err := p.site.kept.shows.Get(showKey{p.Lang, c.Show, c.Most}, func() (slotted, int, error) {
			blank := Detail{Show: c.Show, Most: c.Most, Units: c.Units, Key: p.site.marker.at(slotKey)}
			body, err := p.site.marker.cut(p.show(blank))
			if p.err != nil {
				err = p.err
			}
			return body, body.size(), err
		})
		if err != nil {
			return err
		}
		return body.write(w, func(slot) error { _, err := io.WriteString(w, templ.EscapeString(c.Key)); return err })
	})
}

func (p *printer) keptCard(s Show) templ.Component {
	s.Description = ""
	return p.keptPart(p.site.kept.cards, s, p.card)
}

func (p *printer) keptOpening(s Show) templ.Component {
	s.Description = ""
	return p.keptPart(p.site.kept.openings, s, p.opening)
}

func (p *printer) keptPart(in *memo.Cache[cardKey, []byte], s Show, draw func(Show) templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		part, err := in.Get(cardKey{p.Lang, s}, func() ([]byte, int, error) {
			var text bytes.Buffer
			err := draw(s).Render(ctx, &text)
			if p.err != nil {
				err = p.err
			}
			return text.Bytes(), text.Len(), err
		})
		if err != nil {
			return err
		}
		_, err = w.Write(part)
		return err
	})
}
