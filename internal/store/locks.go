package store

// The classes of advisory locks (their first key of two), so that no two uses meet in one database. River's and golang-migrate's locks
// have one 64-bit key, which Postgres keeps apart from those with two.
const (
	migrationLockClass int32 = 0x61747401 + iota
	replicaLockClass
	sweepLockClass
	expiryLockClass
)
