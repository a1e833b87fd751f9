// Package server is the attestd program: its commands, its configuration and the wiring of its
// parts. It has no logic of its own.
//
// It is a package, and not only cmd/server, so that the tests, the demo and the bench can start the
// program that production runs. Start reading at [Program.Main].
package server
