package web

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show/images"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/web/page"
)

// newShowPage shows an empty form.
func (s *Server) newShowPage(c echo.Context, _ account.Claims) error {
	return s.render(c, http.StatusOK, "admin_show", storedForm(nil))
}

// addShow adds a show as a form says, and leads to its page, where it can be given an image.
func (s *Server) addShow(c echo.Context, me account.Claims) error {
	values, err := browserForm(c)
	if err != nil {
		return err
	}
	draft, terms, err := readShowForm(values, nil)
	if err != nil {
		return s.notStored(c, nil, values, err)
	}
	made, err := s.deps.BackOffice.CreateShow(c.Request().Context(), s.actor(c, me), repeatable(values), draft, terms.Capacity, terms.Limit)
	if err != nil {
		return s.notStored(c, nil, values, unlessKnown(err))
	}
	return seeOther(c, adminPath("shows", made.ID)+"?done=show_added")
}

// editShowPage shows the form of a show, and its image.
func (s *Server) editShowPage(c echo.Context, _ account.Claims) error {
	stored, err := s.storedShow(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "admin_show", storedForm(&stored))
}

// editShow changes a show as a form says.
func (s *Server) editShow(c echo.Context, me account.Claims) error {
	values, err := browserForm(c)
	if err != nil {
		return err
	}
	stored, err := s.storedShow(c)
	if err != nil {
		return err
	}
	draft, terms, err := readShowForm(values, &stored)
	if err != nil {
		return s.notStored(c, &stored, values, err)
	}
	if fields := overtaken(values, stored); len(fields) > 0 {
		return s.tellOvertaken(c, &stored, values, fields)
	}
	if _, err := s.deps.BackOffice.UpdateShow(c.Request().Context(), s.actor(c, me), stored.ID, draft, terms.Capacity, terms.Limit); err != nil {
		return s.notStored(c, &stored, values, unlessKnown(err))
	}
	return seeOther(c, adminPath("shows", stored.ID)+"?done=show_changed")
}

// tellOvertaken shows the form again, with what is stored by now beside what differs from it. Sent once more, it is stored as it is.
func (s *Server) tellOvertaken(c echo.Context, stored *page.Show, values url.Values, fields []string) error {
	now := storedForm(stored)
	form := s.typedForm(c, stored, values, &invalid.Error{})
	form.Of, form.Hinders, form.First = now.Of, s.text(c, "admin.hinders.overtaken"), fields[0]
	for _, name := range fields {
		form.Faults[name] = s.text(c, "admin.fault.overtaken", "value", cmp.Or(now.Values[name], s.text(c, "admin.none")))
	}
	return s.render(c, http.StatusConflict, "admin_show", form)
}

// storedShow is the show in the path as it is now.
func (s *Server) storedShow(c echo.Context) (page.Show, error) {
	found, err := s.showInPath(c)
	if err != nil {
		return page.Show{}, err
	}
	return pageShow(found), nil
}

// notStored shows the form again, with all that was typed and what hinders it: beside a field, or above all of them.
func (s *Server) notStored(c echo.Context, of *page.Show, values url.Values, err error) error {
	var bad invalid.Error
	faults, ok := faultsOf(err)
	if !ok {
		faults = &bad
	}
	form := s.typedForm(c, of, values, faults)
	switch below, tooFew := errors.AsType[*stock.CapacityError](err); {
	case tooFew:
		form.First = "capacity"
		form.Faults[form.First] = s.text(c, "admin.fault.capacity_below_reserved", "reserved", below.Reserved)
	case !ok:
		key, ok := s.refusal(c, err, "admin.hinders.")
		if !ok {
			return err
		}
		form.Hinders = s.text(c, key)
	}
	return s.renderRefusal(c, err, "admin_show", form)
}

// uploadImage gives a show another image. What is wrong with it is told beside it, and the rest of the page is as it is stored.
func (s *Server) uploadImage(c echo.Context, me account.Claims) error {
	stored, err := s.storedShow(c)
	if err != nil {
		return err
	}
	upload, err := readUpload(c)
	if errors.Is(err, errImageTooLarge) { // a browser that still sends does not listen
		_, _ = io.CopyN(io.Discard, c.Request().Body, 4*images.MaxUpload)
	}
	if err == nil && len(upload) == 0 { // no file was chosen
		var bad invalid.Error
		bad.Add(imageField, "required", "must be given")
		err = &bad
	}
	if err == nil {
		_, err = s.storeImage(c, me, stored.ID, upload)
	}
	if err == nil {
		return seeOther(c, adminPath("shows", stored.ID)+"?done=image_changed")
	}
	form := storedForm(&stored)
	if bad, ok := faultsOf(err); ok {
		form.Image.Fault = s.faultText(c, bad.Fields[0])
	} else if key, ok := s.refusal(c, err, "admin.image."); ok {
		form.Image.Fault = s.text(c, key)
	} else {
		return err
	}
	return s.renderRefusal(c, err, "admin_show", form)
}
