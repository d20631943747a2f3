package page

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// What differs between two visitors, or two moments, has a slot: the rest of a page is written once and kept as the texts between its slots.
// A slot is a letter behind a mark, which a template gets in place of the value. The mark is random, so no title or search holds it.
type slot byte

// The slots of the layout, and that of a show's page.
const (
	slotTitle  slot = 'A' + iota
	slotHead        // markup
	slotNow         // milliseconds since 1970
	slotWords       // what the form for a search holds
	slotNext        // of the links that lead to a login: where to go afterwards
	slotNotice      // markup
	slotMain        // markup
	slotKey         // of the form that books: the request's key
	slotLang        // the addresses of the page in other languages, in the order of Langs
)

// slotted is markup with slots.
type slotted struct {
	texts []string // one more than slots
	slots []slot
}

func (s slotted) size() (bytes int) {
	for _, text := range s.texts {
		bytes += len(text)
	}
	return bytes
}

// write writes the markup, and has each slot filled. What fills a slot with a text has to escape it.
func (s slotted) write(w io.Writer, fill func(slot) error) error {
	for i, at := range s.slots {
		if _, err := io.WriteString(w, s.texts[i]); err != nil {
			return err
		}
		if err := fill(at); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, s.texts[len(s.slots)])
	return err
}

// marker marks the slots of one site.
type marker string

func newMarker() marker { return marker(rand.Text()) }

// at is what stands for the value of a slot in a template. Letters alone: no escaping changes them.
func (m marker) at(s slot) string { return string(m) + string(rune(s)) }

// cut renders a component and cuts it at its slots.
func (m marker) cut(c templ.Component) (slotted, error) {
	var text strings.Builder
	if err := c.Render(context.Background(), &text); err != nil {
		return slotted{}, err
	}
	var s slotted
	before, rest, found := strings.Cut(text.String(), string(m))
	for found {
		s.texts, s.slots = append(s.texts, before), append(s.slots, slot(rest[0]))
		before, rest, found = strings.Cut(rest[1:], string(m))
	}
	s.texts = append(s.texts, before)
	return s, nil
}

// frames are the layout for each language and kind of visitor.
type frames map[frameOf]slotted

type frameOf struct {
	lang Lang
	me   Me
	some bool // somebody is logged in
}

func of(lang Lang, me *Me) frameOf {
	if me == nil {
		return frameOf{lang: lang}
	}
	return frameOf{lang, *me, true}
}

func (s *Site) makeFrames() (frames, error) {
	made := frames{}
	for _, lang := range Langs() {
		for _, me := range []*Me{nil, {}, {Admin: true}} {
			p := s.printer(lang)
			frame, err := s.marker.cut(p.layout(me))
			if p.err != nil {
				err = p.err
			}
			if err != nil {
				return nil, err
			}
			made[of(lang, me)] = frame
		}
	}
	return made, nil
}

// write writes a page into its frame.
func (p *printer) write(w *bytes.Buffer, v View, page sheet) error {
	render := func(c templ.Component) error { return c.Render(context.Background(), w) }
	text := func(text string) error { _, err := w.WriteString(templ.EscapeString(text)); return err }
	return p.site.frames[of(p.Lang, v.Me)].write(w, func(at slot) error {
		switch at {
		case slotTitle:
			return text(page.title)
		case slotHead:
			if page.head != nil {
				return render(page.head)
			}
		case slotNow:
			return text(digits(millis(v.Now)))
		case slotWords:
			return text(page.words)
		case slotNext:
			return text(withNext("", v.Back))
		case slotNotice:
			if v.Notice != "" {
				return render(p.notice(v.Notice))
			}
		case slotMain:
			return render(page.main)
		default:
			return text(string(templ.URL(switchLang(v.URL, Langs()[at-slotLang]))))
		}
		return nil
	})
}

// langSlot is the slot of the address of a page in another language.
func langSlot(lang Lang) slot { return slotLang + slot(slices.Index(Langs(), lang)) }
