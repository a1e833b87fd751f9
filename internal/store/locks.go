package store

// The classes of advisory locks: the first of a lock's two keys. They keep the uses apart within
// one database. River's and golang-migrate's locks have one key of 64 bits, and Postgres keeps
// those apart from locks with two.
const (
	migrationLockClass int32 = 0x61747401 + iota
	replicaLockClass
	sweepLockClass
	expiryLockClass
)
