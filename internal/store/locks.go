package store

// The classes of advisory locks: the first of a lock's two keys, one for each use. River's and
// golang-migrate's locks have one key of 64 bits, and never meet those with two.
const (
	migrationLockClass int32 = 0x61747401 + iota
	replicaLockClass
	sweepLockClass
	expiryLockClass
)
