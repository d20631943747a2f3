package page

import "github.com/a-h/templ"

// What the admins' templates decide between.

func (p *printer) orNone(text string) string {
	if text == "" {
		return p.t("admin.none")
	}
	return text
}

// undecided is why nothing is known of a stock's drift.
func (p *printer) undecided(state string) string {
	if state == "open" {
		return p.t("admin.stock.moving")
	}
	return p.t("admin.none")
}

func (p *printer) oldest(c QueueShard) string {
	if c.Entries == 0 {
		return p.t("admin.none")
	}
	return p.span(c.Oldest)
}

func (p *printer) pace(c QueueShard, perSecond float64) string {
	if !c.PaceKnown {
		return p.t("admin.none")
	}
	return pace(perSecond)
}

// account is whose deed a record tells.
func (p *printer) account(r Record) string {
	if r.Email != "" {
		return r.Email
	}
	return p.t("admin.object.user", "id", r.UserID)
}

func (p *printer) formTitle(c ShowForm) string {
	if c.Show != nil {
		return c.Show.Title
	}
	return p.t("admin.show.new")
}

// action is where the form is sent to.
func (c ShowForm) action() string {
	if c.Show != nil {
		return adminShowPath(c.Show.ID)
	}
	return "/admin/shows"
}

// press is the key of what the form's button says.
func (c ShowForm) press() string {
	if c.Show != nil {
		return "admin.show.save"
	}
	return "admin.show.make"
}

// says returns the attributes by which a field's input names its hint and its fault, and takes the focus.
func (p *printer) says(f adminField) templ.OrderedAttributes {
	var says templ.OrderedAttributes
	say := func(name string, value any) {
		says = append(says, templ.KeyValue[string, any]{Key: name, Value: value})
	}
	fault, hint := f.form.Faults[f.name] != "", p.has("admin.hint."+f.name)
	if fault || hint {
		say("aria-describedby", describedBy(f.name, fault, hint))
	}
	if fault {
		say("aria-invalid", "true")
	}
	if f.form.First == f.name {
		say("autofocus", true)
	}
	return says
}

// dropPath is where a dead letter is dropped.
func (l Letter) dropPath() string { return "/admin/dead-letters/" + l.ID + "/drop" }
