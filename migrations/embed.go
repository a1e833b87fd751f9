// Package migrations holds the schema of attestd's own tables as golang-migrate files. River's tables are made by River's migrations;
// internal/store runs both.
package migrations

import "embed"

// FS holds the files NNNN_name.up.sql and NNNN_name.down.sql.
//
//go:embed *.sql
var FS embed.FS
