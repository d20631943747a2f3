package bucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/show/images"
)

// fakeS3 keeps objects as S3 does, as far as this package asks; credentials are not looked at.
func fakeS3(t *testing.T) (address string) {
	var objects sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPut:
			data, err := io.ReadAll(r.Body)
			if err != nil || r.Header.Get("Content-Type") != "image/jpeg" || r.Header.Get("Cache-Control") != images.CacheControl {
				t.Errorf("PUT %s: %v, %v", r.URL, r.Header, err)
			}
			objects.Store(r.URL.Path, data)
		case http.MethodGet:
			data, ok := objects.Load(r.URL.Path)
			if !ok {
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
				return
			}
			http.ServeContent(w, r, "", time.Now(), bytes.NewReader(data.([]byte)))
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	t.Cleanup(server.Close)
	return "s3://posters?region=eu-north-1&use_path_style=true&request_checksum_calculation=when_required&endpoint=" + server.URL
}

func TestBucket(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	folder := filepath.Join(t.TempDir(), "made when", "missing")
	for _, address := range []string{"file://" + strings.ReplaceAll(folder, " ", "%20"), fakeS3(t)} {
		b, err := Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		data := bytes.Repeat([]byte("pixels"), 100_000)
		if _, err := b.Read(t.Context(), "a-800.jpg"); !errors.Is(err, images.ErrNotFound) {
			t.Errorf("%s: before it is written: %v", address, err)
		}
		for range 2 { // the same again does no harm
			if err := b.Write(t.Context(), "a-800.jpg", data); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := b.Read(t.Context(), "a-800.jpg"); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: got %d bytes, %v", address, len(got), err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Write(gone, "b-800.jpg", data); err == nil {
			t.Errorf("%s: written for nobody", address)
		}
		if _, err := b.Read(t.Context(), "b-800.jpg"); !errors.Is(err, images.ErrNotFound) {
			t.Errorf("%s: half a file: %v", address, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("in the folder: %v, %v; want one file", files, err)
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"ftp://host/x", "://", "file:///dev/null/x", "s3://bucket?region=r&colour=red"} {
		if _, err := Open(t.Context(), address); err == nil {
			t.Errorf("%s is opened", address)
		}
	}
}
