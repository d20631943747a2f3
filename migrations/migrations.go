// Package migrations holds the database schema as goose migrations. MySQL commits at every DDL statement, so each
// file has one statement: a migration is done whole or not at all.
package migrations

import "embed"

// FS holds the *.sql files.
//
//go:embed *.sql
var FS embed.FS
