package system

import (
	"context"
	"database/sql"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/show/images"
)

// Gallery is the images of shows: it joins the rows with the bucket.
type Gallery struct {
	*images.Store
	office *BackOffice
}

// SetImage implements web.Images. The image is stored before its show says so: who dies in between leaves files that nobody asks
// for, never a show without its image. The watch tells Redis the show's new version.
func (g *Gallery) SetImage(ctx context.Context, id int64, upload []byte) (show.Show, error) {
	name, err := g.Add(ctx, upload)
	if err != nil {
		return show.Show{}, err
	}
	var changed show.Show
	err = database.Transact(ctx, g.office.system.DB, func(tx *sql.Tx) (err error) {
		changed, err = g.office.system.Shows.SetImage(ctx, tx, id, name)
		return err
	})
	if err != nil {
		return show.Show{}, err
	}
	g.office.refresh(ctx, id)
	return changed, nil
}
