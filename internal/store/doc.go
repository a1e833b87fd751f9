// Package store is attestd's Postgres. It implements the [onboarding.Repository] of the API and the
// [onboarding.Ledger] of the runner, runs River's client, and lets any number of replicas work on
// one database as one.
//
// It decides nothing about an onboarding's steps. It guarantees three things: one runner at a time
// may write them, no wake-up is lost, and the onboardings of a dead replica go on elsewhere.
//
//   - The row of an onboarding names the one River job that may run it. Every change of the job is
//     made under the row's lock: queries/wake.sql, [Ledger.Release], rescue.go and sweep.go.
//   - A claim raises the row's epoch, and each write of a runner names the epoch of its claim:
//     ledger.go, queries/ledger.sql.
//   - Each process has an advisory lock on a connection of its own, and its death frees the lock:
//     replica.go. Others then rescue its onboardings: rescue.go.
//
// Writes about different onboardings share transactions: groupcommit.go. The statements are in
// queries/, the schema in the package migrations. Start reading at [Open], then ledger.go.
package store

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate -f ../../sqlc.yaml
