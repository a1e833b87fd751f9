// Package store keeps onboardings in Postgres and runs them: it is the [onboarding.Repository] of the API, the [onboarding.Ledger] of the
// runner, River's client, and what makes any number of replicas on one database work as one.
//
// It decides nothing about an onboarding's steps; it guarantees that one runner at a time may write them, that a wake-up is never lost,
// and that what a dead replica was running goes on elsewhere:
//
//   - The row of an onboarding names the one River job that may run it. Everything that changes the job does so under the row's lock:
//     wake.go, [Ledger.Release], takeover.go and sweep.go.
//   - A claim raises the row's epoch, and each write of a runner names the epoch of its claim: ledger.go, queries/ledger.sql.
//   - Each process holds an advisory lock on a connection of its own, which its death frees: replica.go.
//
// The statements are in queries/, the schema in the package migrations. Start reading at [Open], then ledger.go.
package store

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate -f ../../sqlc.yaml
