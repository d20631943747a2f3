package page

import (
	"fmt"

	"github.com/a-h/templ"
)

// sheet is what a page puts into the layout.
type sheet struct {
	title string
	head  templ.Component // nil: nothing
	words string          // what the form for a search holds
	main  templ.Component
}

// pages are the pages by name, each for the content that it shows.
var pages = map[string]func(p *printer, v View) sheet{
	"home": showing(func(p *printer, _ View, c Home) sheet { return sheet{title: p.t("home.title"), main: p.home(c)} }),
	"search": showing(func(p *printer, _ View, c Search) sheet {
		return sheet{title: p.t("search.title"), words: c.Words, main: p.search(c)}
	}),
	"show": showing(func(p *printer, _ View, c Detail) sheet {
		return sheet{title: c.Show.Title, head: refreshAfter(c.Refresh), main: p.keptShow(c)}
	}),
	"problem": showing(func(p *printer, _ View, c Problem) sheet { return sheet{title: c.Title, main: p.problem(c)} }),

	"login": showing(func(p *printer, v View, c Account) sheet {
		return sheet{title: p.t("login.title"), main: p.login(v.Back, c)}
	}),
	"signup": showing(func(p *printer, v View, c Account) sheet {
		return sheet{title: p.t("signup.title"), main: p.signup(v.Back, c)}
	}),
	"password": showing(func(p *printer, _ View, c Account) sheet {
		return sheet{title: p.t("password.title"), main: p.password(c)}
	}),

	"reservation": showing(func(p *printer, _ View, c Reservation) sheet {
		return sheet{title: p.t("reservation.title." + c.State()), head: refreshWhile(!c.Settled()), main: p.reservation(c)}
	}),
	"reservations": showing(func(p *printer, v View, c *Mine) sheet {
		return sheet{title: p.t("nav.reservations"), head: refreshWhile(c.Awaited() != nil), main: p.reservations(v.URL.String(), c)}
	}),
	"cancel": showing(func(p *printer, _ View, c Cancel) sheet { return sheet{title: p.t(c.asked()), main: p.cancel(c)} }),

	"admin_shows": showing(func(p *printer, _ View, c AdminShows) sheet {
		return sheet{title: p.t("admin.shows.title"), main: p.adminShows(c)}
	}),
	"admin_show": showing(func(p *printer, _ View, c ShowForm) sheet { return sheet{title: p.formTitle(c), main: p.adminShow(c)} }),
	"admin_stock": showing(func(p *printer, _ View, c AdminStock) sheet {
		return sheet{title: p.t("admin.stock.title"), main: p.adminStock(c)}
	}),
	"admin_resync": showing(func(p *printer, _ View, c Resync) sheet {
		return sheet{title: p.t("admin.resync.title"), main: p.adminResync(c)}
	}),
	"admin_queue": showing(func(p *printer, _ View, c Queue) sheet {
		return sheet{title: p.t("admin.queue.title"), main: p.adminQueue(c)}
	}),
	"admin_letter": showing(func(p *printer, _ View, c Letter) sheet {
		return sheet{title: p.t("admin.letters.ask"), main: p.adminLetter(c)}
	}),
	"admin_audit": showing(func(p *printer, _ View, c Audit) sheet {
		return sheet{title: p.t("admin.audit.title"), main: p.adminAudit(c)}
	}),
}

// showing makes a page of what lays one out and the type of its content. Another type is a mistake of the program, which fails the page.
func showing[T any](page func(p *printer, v View, content T) sheet) func(p *printer, v View) sheet {
	return func(p *printer, v View) sheet {
		content, ok := v.Content.(T)
		if !ok {
			p.note(fmt.Errorf("it shows a %T, not a %T", content, v.Content))
		}
		return page(p, v, content)
	}
}
