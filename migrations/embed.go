// Package migrations has the schema of attestd's own tables as golang-migrate files. River's
// migrations make River's tables. Package store runs both.
package migrations

import "embed"

// FS has the files NNNN_name.up.sql and NNNN_name.down.sql.
//
//go:embed *.sql
var FS embed.FS
