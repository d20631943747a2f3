// Package bucket is where images are kept: a folder, or a bucket of S3. It is a package of its own because what it brings makes a
// program larger by 20 MB: only the API links it.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"github.com/neticket/neticket/internal/show/images"
)

// Bucket implements images.Bucket.
type Bucket struct{ blobs *blob.Bucket }

// Open returns the folder of "file:///folder", which is made if it is missing, or the bucket of "s3://bucket?region=...", with
// the parameters and the credentials that the AWS SDK knows. Nothing is asked of S3 yet.
func Open(ctx context.Context, address string) (*Bucket, error) {
	blobs, err := open(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open the bucket of images: %w", err)
	}
	return &Bucket{blobs}, nil
}

func open(ctx context.Context, address string) (*blob.Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address is no URL") // the error would quote it
	}
	switch u.Scheme {
	case fileblob.Scheme:
		// Files are written next to where they belong, and renamed: from another file system that could not be done.
		return fileblob.OpenBucket(filepath.FromSlash(u.Path), &fileblob.Options{
			CreateDir: true, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
		})
	case s3blob.Scheme:
		return new(s3blob.URLOpener).OpenBucketURL(ctx, u)
	}
	return nil, fmt.Errorf("there is no kind of bucket called %q", u.Scheme)
}

// Close ends the bucket.
func (b *Bucket) Close() error { return b.blobs.Close() }

// Write implements images.Bucket.
func (b *Bucket) Write(ctx context.Context, file string, data []byte) error {
	err := b.blobs.WriteAll(ctx, file, data, &blob.WriterOptions{ContentType: "image/jpeg", CacheControl: images.CacheControl})
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

// Read implements images.Bucket.
func (b *Bucket) Read(ctx context.Context, file string) ([]byte, error) {
	data, err := b.blobs.ReadAll(ctx, file)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, images.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	return data, nil
}
