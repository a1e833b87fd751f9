//go:build !race

package simulation

// defaultSeeds is how many seeds are played unless it is said.
const defaultSeeds = 2000
