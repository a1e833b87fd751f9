package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	// A job is never given up. The column has room for no higher number. The statements in queries/
	// insert jobs with the same number, and of the same kind.
	maxAttempts = math.MaxInt16
	// River notifies of one insert in each cooldown. A job that is inserted right after it, or
	// becomes available at its time, is found by the poll, which is frequent for that reason. A
	// poll that finds nothing reads one page of an index.
	fetchCooldown     = 5 * time.Millisecond
	fetchPollInterval = 50 * time.Millisecond
	// Finished jobs are of use only when somebody looks into a fault.
	finishedJobRetention = time.Hour
	maxRetryDelay        = 30 * time.Second
)

type (
	riverTx     = pgx.Tx
	riverClient = river.Client[riverTx]
)

// advanceArgs are the arguments of the one kind of job, which takes an onboarding as far as it
// goes.
type advanceArgs struct {
	OnboardingID onboarding.ID `json:"onboarding_id"`
}

const advanceKind = "advance"

// Kind is stored with each job.
func (advanceArgs) Kind() string { return advanceKind }

// advanceWorker runs the onboarding of a job.
type advanceWorker struct {
	river.WorkerDefaults[advanceArgs]
	store *Store
}

// Work runs the onboarding. It returns nil for a run that lost its place: another job goes on with
// the onboarding, and this one is complete.
func (w *advanceWorker) Work(ctx context.Context, job *river.Job[advanceArgs]) error {
	id := job.Args.OnboardingID
	log := w.store.log.With(slog.String("onboarding_id", string(id)), slog.Int64("job_id", job.ID))
	err := w.store.config.Advance(ctx, &Ledger{store: w.store, job: job}, id)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, onboarding.ErrLostPlace):
		log.InfoContext(ctx, "another runner has the onboarding now")
		return nil
	case errors.Is(err, onboarding.ErrNotFound):
		log.WarnContext(ctx, "a job names an onboarding that does not exist")
		return nil
	case ctx.Err() != nil:
		// This replica stops. Snoozed for no time, the job is another's at once.
		log.InfoContext(ctx, "run cut short")
		return river.JobSnooze(0)
	default:
		log.ErrorContext(ctx, "run failed, to be retried", slog.Any("error", err))
		return fmt.Errorf("advance onboarding %s: %w", id, err)
	}
}

// retryPolicy is for runs that failed as a whole, for example because the database could not be
// reached: after 1 s, 2 s, 4 s … up to maxRetryDelay. A call that Twilio refuses is no failure of
// the run; its step has a time of its own.
type retryPolicy struct{ now func() time.Time }

// NextRetry implements river.ClientRetryPolicy.
func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	delay := maxRetryDelay
	if n := len(job.Errors); n < 5 {
		delay = time.Second << n
	}
	return p.now().Add(delay)
}

// newRiver returns a client that runs jobs once it is started.
func (s *Store) newRiver() (*riverClient, error) {
	config := &river.Config{
		ID:                          s.clientID,
		Logger:                      slog.New(atLeast{s.log.Handler(), slog.LevelWarn}),
		MaxAttempts:                 maxAttempts,
		RetryPolicy:                 retryPolicy{s.config.Now},
		JobTimeout:                  -1,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPollInterval,
		CompletedJobRetentionPeriod: finishedJobRetention,
		CancelledJobRetentionPeriod: finishedJobRetention,
		ReindexerIndexNames:         jobIndexes(),
	}
	if s.config.Advance != nil {
		config.Workers = river.NewWorkers()
		river.AddWorker(config.Workers, &advanceWorker{store: s})
		config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: s.config.Workers}}
	}
	client, err := river.NewClient(riverpgxv5.New(s.pool), config)
	if err != nil {
		return nil, fmt.Errorf("make the River client: %w", err)
	}
	return client, nil
}

// jobIndexes are the indexes that River rebuilds from time to time, without those that our first
// migration drops.
func jobIndexes() []string {
	return slices.DeleteFunc(river.ReindexerIndexNamesDefault(), func(name string) bool {
		return name == "river_job_args_index" || name == "river_job_metadata_index"
	})
}

// atLeast drops the records below a level.
type atLeast struct {
	slog.Handler
	level slog.Level
}

// Enabled implements slog.Handler.
func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup implements slog.Handler.
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}
