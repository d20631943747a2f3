package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserAdminPages is what an admin does: logs in, adds a show with an image, changes it, finds the stock damaged and sets it right, and
// finds all of that written down.
func TestBrowserAdminPages(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	d.start(t, "worker")
	d.signUp(t, "boss@example.com")
	if _, err := d.DB.Exec("UPDATE users SET role = 'admin' WHERE email = 'boss@example.com'"); err != nil {
		t.Fatal(err)
	}
	v := d.visitor(t, "en")
	v.forgive("status of 401")
	v.goTo("/admin/shows")
	v.fill("Email address", "boss@example.com")
	v.fill("Password", passphrase)
	v.press("#main button.primary")
	v.isAt("/admin/shows")

	v.press("Add a show")
	v.isAt("/admin/shows/new")
	v.fill("Title", "Swan Lake")
	v.fill("Venue", "Opera")
	v.fill("Description", "A ballet.")
	v.fill("Price (won)", "50000")
	v.set("Show starts", time.Now().Add(48*time.Hour).Format("2006-01-02T15:04"))
	v.set("Sale opens", time.Now().Add(-24*time.Hour).Format("2006-01-02T15:04"))
	v.fill("Capacity", "100")
	v.press("Add the show")
	v.sees("The show is added.", "Swan Lake")
	show, err := strconv.ParseInt(strings.TrimPrefix(eval[string](v, `location.pathname`), "/admin/shows/"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(t.TempDir(), "poster.jpg")
	if err := os.WriteFile(file, []byte(photo(t, 600, 800, 120)), 0o600); err != nil {
		t.Fatal(err)
	}
	v.call("choose a file", func(ctx context.Context) error {
		return chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	})
	v.sees("The chosen file; not uploaded yet")
	v.press("Upload the image")
	v.sees("The image is changed.")
	v.fill("Capacity", "120")
	v.press("Save")
	v.sees("Saved.")
	v.press("As customers see it")
	v.isAt(fmt.Sprint("/shows/", show))
	v.left(show, 120)
	v.until("the image is shown", `document.querySelector('img.poster').src.includes('/images/') && document.querySelector('img.poster').naturalWidth > 0`)

	if r, err := d.as(t, 1).book(show, 2, "Prefer: wait=5"); err != nil || r.Status != 201 {
		t.Fatalf("book: %+v, %v", r, err)
	}
	if err := d.Redis.HIncrBy(t.Context(), d.Shards.Show(show), "left", 5).Err(); err != nil {
		t.Fatal(err)
	}
	v.goTo("/admin/stock")
	v.sees("Swan Lake", "+5")
	v.press("Resync Swan Lake")
	v.sees("Resync the stock", "Redis differs from MySQL.")
	v.press("#ask-title ~ .buttons button")
	v.sees("The stock is set anew.")
	v.misses("+5")
	d.wantLeft(t, show, 118)
	v.press("Queue")
	v.sees("Living workers", "There are none.")
	v.press("Audit log")
	v.sees("Resynced", "Changed the image of", "Changed", "Added", "boss@example.com")

	customer := d.visitor(t, "en")
	customer.forgive("status of 403")
	customer.logInAs(token(t, 7))
	customer.goTo("/admin/stock")
	customer.sees("Not allowed")
}
