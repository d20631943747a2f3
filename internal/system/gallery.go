package system

import (
	"context"
	"database/sql"

	"github.com/neticket/neticket/internal/auditlog"
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
func (g *Gallery) SetImage(ctx context.Context, by auditlog.Actor, id int64, upload []byte) (show.Show, error) {
	name, err := g.Add(ctx, upload)
	if err != nil {
		return show.Show{}, err
	}
	var changed show.Show
	deed, system := auditlog.NewDeed(by, auditlog.SetImage), g.office.system
	err = database.Transact(ctx, system.DB, func(tx *sql.Tx) error {
		before, err := system.Shows.Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if changed, err = system.Shows.SetImage(ctx, tx, id, name); err != nil || before.Image == name {
			return err
		}
		return system.AuditLog.Add(ctx, tx, deed, auditlog.Object("show", id), map[string]auditlog.Change{"image": {Before: before.Image, After: name}})
	})
	if err != nil {
		return show.Show{}, err
	}
	g.office.refresh(ctx, id)
	return changed, nil
}
