package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"path"
	"strings"
)

//go:embed assets/*
var assetFiles embed.FS

// FilesPath is below which the files are.
const FilesPath = "/assets/"

// File is one that pages link to. It never changes: its name holds a hash of its content.
type File struct {
	Type string // media type
	Data []byte
	Gzip []byte // Data, compressed as well as it can be
}

// Files are the embedded files by their name with the hash, such as site-0123456789abcdef.css.
type Files struct {
	byName map[string]File
	named  map[string]string // names with the hash, by those without
}

func readFiles() Files {
	files := Files{map[string]File{}, map[string]string{}}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		data, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		extension := path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), extension) + "-" + hex.EncodeToString(sum[:8]) + extension
		files.byName[name] = File{mediaType(extension), data, compressed(data)}
		files.named[entry.Name()] = name
	}
	return files
}

func compressed(data []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err)
	}
	_, err = w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// mediaType knows the few types by itself: those of the standard library depend on the host.
func mediaType(extension string) string {
	switch extension {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(extension)
}

// URL returns the address of a file, such as "site.css".
func (f Files) URL(name string) (string, error) {
	hashed, ok := f.named[name]
	if !ok {
		return "", fmt.Errorf("there is no file %s", name)
	}
	return FilesPath + hashed, nil
}

// Get returns the file of a name with its hash.
func (f Files) Get(name string) (File, bool) {
	file, ok := f.byName[name]
	return file, ok
}
