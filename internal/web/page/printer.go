package page

import (
	"strings"
	"time"

	"github.com/a-h/templ"
)

// printer is what templates write with: the texts, dates and amounts of one language. It is made for one rendering and keeps the first
// error of it, so templates need not handle errors and a page with an error is not sent.
type printer struct {
	Lang
	site  *Site
	texts texts
	err   error
}

func (s *Site) printer(lang Lang) *printer {
	return &printer{Lang: lang, site: s, texts: s.texts[lang]}
}

// note keeps the first error of the rendering.
func (p *printer) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

// t returns the text of a key; args are pairs of a name and a value, for the {name} in it.
func (p *printer) t(key string, args ...any) string {
	text, err := p.texts.say(key, args...)
	if err != nil {
		p.note(err)
	}
	return text
}

// has reports whether there is a text of that key.
func (p *printer) has(key string) bool { _, ok := p.texts[key]; return ok }

// count returns the text for a number of things: key.one or key.other, with the number as {n}.
func (p *printer) count(key string, n int) string {
	which := ".other"
	if n == 1 {
		which = ".one"
	}
	return p.t(key+which, "n", group(n))
}

// asset returns the address of an embedded file.
func (p *printer) asset(name string) string {
	url, err := p.site.Files.URL(name)
	if err != nil {
		p.note(err)
	}
	return url
}

// code returns the QR code of a booking's number.
func (p *printer) code(number string) QR {
	code, err := drawQR(p.site.codes, number)
	if err != nil {
		p.note(err)
	}
	return code
}

// won writes an amount of money.
func (p *printer) won(n int64) string {
	if n == 0 {
		return p.t("price.free")
	}
	return p.t("price.won", "n", group(n))
}

// limit says how many units a person may have; 0 is no limit.
func (p *printer) limit(n int) string {
	if n == 0 {
		return p.t("show.nolimit")
	}
	return p.count("show.limit", n)
}

// again says after how many seconds to try again, behind something else; 0 is not said.
func (p *printer) again(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return " " + p.count("problem.again", seconds)
}

// span writes how long something takes or is ago, in its largest unit, such as 3 min.
func (p *printer) span(d time.Duration) string {
	switch n := int64(d.Seconds()); {
	case n < 60:
		return p.t("span.seconds", "n", n)
	case n < 60*60:
		return p.t("span.minutes", "n", n/60)
	case n < 48*60*60:
		return p.t("span.hours", "n", n/60/60)
	default:
		return p.t("span.days", "n", group(n/60/60/24))
	}
}

// plain is a text as a component: templ puts a space between a component and an expression after it, but none between two components.
func plain(text string) templ.Component { return templ.Raw(templ.EscapeString(text)) }

// titleOf is a show's title as people read it: see bracketed. It is no template because no space may come between its parts.
func titleOf(title string) templ.Component {
	if !strings.Contains(title, "<") {
		return plain(title)
	}
	var text strings.Builder
	for i, part := range bracketed(title) {
		if i > 0 {
			text.WriteString(`<span class="whole">&lt;` + templ.EscapeString(part.First) + `</span>`)
		}
		text.WriteString(templ.EscapeString(part.Rest))
	}
	return templ.Raw(text.String())
}

// refreshAfter is the head of a page that browsers without scripts load again after so many seconds; 0 is never.
func refreshAfter(seconds int) templ.Component {
	if seconds == 0 {
		return nil
	}
	return refresh(seconds)
}

// refreshWhile is the head of a page that waits for something.
func refreshWhile(waiting bool) templ.Component {
	if !waiting {
		return nil
	}
	return refresh(3)
}

// button is the class of a link that looks like a button; the primary one is what most people want next.
func button(primary bool) string {
	if primary {
		return "button primary"
	}
	return "button"
}

// describedBy names what describes a field: its fault and its hint, where it has them.
func describedBy(name string, fault, hint bool) string {
	switch {
	case fault && hint:
		return name + "-fault " + name + "-hint"
	case fault:
		return name + "-fault"
	}
	return name + "-hint"
}
