package server

// version is the build's, set by the linker: see the Makefile.
var version = "unknown"
