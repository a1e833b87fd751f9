package api

import (
	"context"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
)

// Comparer compares ledgers with what Twilio holds.
type Comparer interface {
	// Compare looks up as much as it can, within bounded time. Errors: onboarding.ErrNotFound.
	Compare(ctx context.Context, id onboarding.ID) (reconcile.Report, error)
}

var _ Comparer = (*reconcile.Reconciler)(nil)

// CompareOnboarding shows what Twilio holds beside the ledger.
func (h *operationHandlers) CompareOnboarding(ctx context.Context, request CompareOnboardingRequestObject) (CompareOnboardingResponseObject, error) {
	report, err := h.config.Comparer.Compare(ctx, onboarding.ID(request.ID))
	if err != nil {
		return nil, err
	}
	if err := report.Failure(); err != nil {
		return nil, err
	}
	return CompareOnboarding200JSONResponse(comparisonJSON(report, h.config.Now())), nil
}

func comparisonJSON(report reconcile.Report, at time.Time) Comparison {
	shown := Comparison{
		OnboardingID: string(report.ID),
		ComparedAt:   at.UTC(),
		Differences:  report.Differences(),
		Findings:     make([]Finding, 0, len(report.Findings)),
	}
	for _, f := range report.Findings {
		shown.Findings = append(shown.Findings, Finding{
			Step:       string(f.Step),
			StepStatus: string(f.State),
			Ledger:     FindingSide{SID: orNull(f.SID), Status: orNull(f.Status)},
			TrustHub:   FindingSide{SID: orNull(f.Remote.SID), Status: orNull(f.Remote.Status)},
			Verdict:    verdictWords[f.Verdict],
			Differs:    f.Differs(),
			Note:       orNull(f.Note),
		})
	}
	return shown
}

// verdictWords are the verdicts in the words of the contract.
var verdictWords = map[reconcile.Verdict]FindingVerdict{
	reconcile.VerdictSame:        FindingVerdictSame,
	reconcile.VerdictNotBegun:    FindingVerdictNotBegun,
	reconcile.VerdictMissing:     FindingVerdictMissingAtTwilio,
	reconcile.VerdictUnrecorded:  FindingVerdictNotInLedger,
	reconcile.VerdictSurplus:     FindingVerdictSurplus,
	reconcile.VerdictOtherStatus: FindingVerdictOtherStatus,
	reconcile.VerdictUnknown:     FindingVerdictUnknown,
	reconcile.VerdictNotCompared: FindingVerdictNotCompared,
}
