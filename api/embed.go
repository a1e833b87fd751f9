// Package api holds the contract of attestd's HTTP API, so that the server can validate requests
// with it and serve it. The handlers and the types generated from it are in internal/api.
package api

import _ "embed"

// OpenAPI is the OpenAPI 3.0 document, YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
