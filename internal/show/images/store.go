package images

import (
	"context"
	"time"
)

const (
	// drawWait is how long an upload waits for others. One takes about a second.
	drawWait = 5 * time.Second
	// bucketTimeout is of one file, to or from the bucket.
	bucketTimeout = 10 * time.Second
	// CacheControl is of every file: it never changes.
	CacheControl = "public, max-age=31536000, immutable"
)

// Bucket is where files are kept: see package bucket, which only the process links that needs it.
type Bucket interface {
	// Write is all or nothing: a file that is there is whole.
	Write(ctx context.Context, file string, data []byte) error
	// Read returns ErrNotFound where there is no such file.
	Read(ctx context.Context, file string) ([]byte, error)
}

// Store keeps images in a bucket.
type Store struct {
	bucket  Bucket
	drawing chan struct{} // holds one: see Add
	wait    time.Duration // of an upload for the one before
}

// NewStore returns a store whose files nobody else writes.
func NewStore(bucket Bucket) *Store {
	return &Store{bucket: bucket, drawing: make(chan struct{}, 1), wait: drawWait}
}

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

func (s *Store) write(ctx context.Context, file string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	return s.bucket.Write(ctx, file, data)
}

// Read returns a file, a JPEG, or ErrNotFound; other errors are the bucket's.
func (s *Store) Read(ctx context.Context, file string) ([]byte, error) {
	if !isFile(file) {
		return nil, ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	return s.bucket.Read(ctx, file)
}
