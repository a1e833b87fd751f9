// Package server is the attestd program: its commands, its configuration and the wiring of its parts. It holds no logic of its own.
//
// It is a package, and not only cmd/server, so that the tests and the demo can start the very program that production runs. Start reading
// at [Main].
package server
