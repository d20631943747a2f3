package images

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

const (
	// drawWait is how long an upload waits for others. One takes about a second.
	drawWait = 5 * time.Second
	// bucketTimeout is of one file, to or from the bucket.
	bucketTimeout = 10 * time.Second

	cacheControl = "public, max-age=31536000, immutable"
)

// Store keeps images in a bucket: a folder, or one of S3.
type Store struct {
	bucket  *blob.Bucket
	drawing chan struct{} // holds one: see Add
	wait    time.Duration // of an upload for the one before
}

// Open returns the store in the folder of "file:///folder", which is made if it is missing, or in "s3://bucket?region=...", with
// the parameters and the credentials that the AWS SDK knows. Nothing is asked of S3 yet.
func Open(ctx context.Context, address string) (*Store, error) {
	bucket, err := open(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open the bucket of images: %w", err)
	}
	return &Store{bucket: bucket, drawing: make(chan struct{}, 1), wait: drawWait}, nil
}

func open(ctx context.Context, address string) (*blob.Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address is no URL") // the error would quote it
	}
	switch u.Scheme {
	case "file":
		// Files are written next to where they belong, and renamed: from another file system that could not be done.
		return fileblob.OpenBucket(filepath.FromSlash(u.Path), &fileblob.Options{
			CreateDir: true, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
		})
	case s3blob.Scheme:
		return new(s3blob.URLOpener).OpenBucketURL(ctx, u)
	}
	return nil, fmt.Errorf("there is no kind of bucket called %q", u.Scheme)
}

// Close ends the store.
func (s *Store) Close() error { return s.bucket.Close() }

// Add checks an upload, stores it in all sizes and returns its name. The same image has the same name, and may be added again. It
// returns an *invalid.Error for what is no image or one that is not allowed, and ErrBusy; other errors are the bucket's.
//
// One upload at a time is drawn: see BenchmarkRedraw for what that takes. It cannot be interrupted, so a caller that went away
// keeps its turn to the end.
func (s *Store) Add(ctx context.Context, upload []byte) (name string, err error) {
	f, err := check(upload)
	if err != nil {
		return "", err
	}
	d, err := s.redraw(ctx, upload, f)
	if err != nil {
		return "", err
	}
	for width, file := range d.files {
		if err := s.write(ctx, File(d.name, width), file); err != nil {
			return "", err
		}
	}
	return d.name, nil
}

func (s *Store) redraw(ctx context.Context, upload []byte, f format) (drawing, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.wait, ErrBusy)
	defer cancel()
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
		return redraw(upload, f)
	case <-ctx.Done():
		return drawing{}, context.Cause(ctx)
	}
}

// write is all or nothing: a file that is there is whole.
func (s *Store) write(ctx context.Context, file string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	err := s.bucket.WriteAll(ctx, file, data, &blob.WriterOptions{ContentType: "image/jpeg", CacheControl: cacheControl})
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

// Read returns a file, a JPEG, or ErrNotFound; other errors are the bucket's.
func (s *Store) Read(ctx context.Context, file string) ([]byte, error) {
	if !isFile(file) {
		return nil, ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	data, err := s.bucket.ReadAll(ctx, file)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	return data, nil
}
