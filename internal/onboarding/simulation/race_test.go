//go:build race

package simulation

// defaultSeeds is how many seeds are played unless it is said. The race detector makes each several times as slow.
const defaultSeeds = 200
