package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/auditlog"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
)

const (
	// uploadTimeout is for the body of an upload, so 1.4 Mbit/s are enough; readTimeout is made for JSON.
	uploadTimeout = time.Minute
	// formOverhead is what a form may have around an image, in bytes.
	formOverhead = 16 << 10
	imageField   = "image"
)

// Images keeps the images of shows.
type Images interface {
	// SetImage checks and stores an upload and returns the show that has it now. It returns show.ErrNotFound, an *invalid.Error, and
	// images.ErrBusy; other errors are outages.
	SetImage(ctx context.Context, by auditlog.Actor, show int64, upload []byte) (show.Show, error)
	// Read returns a file that was stored, or images.ErrNotFound.
	Read(ctx context.Context, file string) ([]byte, error)
}

// imageURL is the one place that knows where an image is. Pages that want another size put its width into the URL.
func imageURL(name string) *string {
	if name == "" {
		return nil
	}
	return new("/images/" + images.File(name, images.Medium))
}

// setImage gives a show another image.
func (s *Server) setImage(c echo.Context, me account.Claims) error {
	id, err := showID(c)
	if err != nil {
		return err
	}
	if _, err := s.deps.Shows.Get(c.Request().Context(), id); err != nil { // before the body is asked for
		return err
	}
	upload, err := readUpload(c)
	if err != nil {
		return err
	}
	changed, err := s.storeImage(c, me, id, upload)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		ImageURL *string `json:"image_url"`
	}{imageURL(changed.Image)})
}

// storeImage gives a show an upload for its image. That may have been longer on its way than an answer may take, so the time for that
// begins anew.
func (s *Server) storeImage(c echo.Context, me account.Claims, id int64, upload []byte) (show.Show, error) {
	by := s.actor(c, me)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), answerWithin)
	defer cancel()
	changed, err := s.deps.Images.SetImage(ctx, by, id, upload)
	if err != nil {
		return show.Show{}, unlessKnown(err)
	}
	s.log.Info("an admin changed a show's image", "show", id, "image", changed.Image, "admin", me.UserID, "request_id", by.RequestID)
	return changed, nil
}

// readUpload returns the image in the body: the body itself, or the one file of a form. Which kind of image it is said to be does
// not matter any more then: its bytes decide.
func readUpload(c echo.Context) ([]byte, error) {
	r := c.Request()
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	isForm := mediaType == echo.MIMEMultipartForm
	if err != nil || encoded(r.Header) || !isForm && !slices.Contains([]string{"image/jpeg", "image/png", "image/webp"}, mediaType) {
		return nil, errImageType
	}
	if r.ContentLength > images.MaxUpload+formOverhead {
		return nil, errImageTooLarge // not a byte of it was read
	}
	// Not every ResponseWriter has deadlines; a server's has.
	connection := http.NewResponseController(c.Response())
	_ = connection.SetReadDeadline(time.Now().Add(uploadTimeout))
	_ = connection.SetWriteDeadline(time.Now().Add(uploadTimeout + writeTimeout))

	body := http.MaxBytesReader(c.Response().Writer, r.Body, images.MaxUpload+formOverhead)
	if isForm {
		return readForm(multipart.NewReader(body, parameters["boundary"]))
	}
	return readImage(body)
}

// readForm returns the content of the one field that a form may have.
func readForm(form *multipart.Reader) (upload []byte, err error) {
	for found := false; ; found = true {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF) && found:
			return upload, nil
		case errors.Is(err, io.EOF):
			var bad invalid.Error
			bad.Add(imageField, "required", "must be given")
			return nil, &bad
		case err != nil:
			return nil, uploadError(err)
		case part.FormName() != imageField:
			return nil, malformed(part.FormName()[:min(len(part.FormName()), 100)], "unknown", "there is no such field")
		case found:
			return nil, malformed(imageField, "repeated", "must be given once")
		}
		if upload, err = readImage(part); err != nil {
			return nil, err
		}
	}
}

func readImage(from io.Reader) ([]byte, error) {
	upload, err := io.ReadAll(io.LimitReader(from, images.MaxUpload+1))
	switch {
	case err != nil:
		return nil, uploadError(err)
	case len(upload) > images.MaxUpload:
		return nil, errImageTooLarge
	}
	return upload, nil
}

func uploadError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errImageTooLarge
	}
	return malformed("", "incomplete", "the body could not be read to its end")
}

// getImage sends a file that never changes, so it may be kept for ever by whoever gets it.
func (s *Server) getImage(c echo.Context) error {
	file := c.Param("file")
	data, err := s.deps.Images.Read(c.Request().Context(), file)
	if err != nil {
		return unlessKnown(err)
	}
	return sendFile(c, "image/jpeg", images.CacheControl, strings.TrimSuffix(file, ".jpg"), data)
}
