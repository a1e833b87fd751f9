package trusthub

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// Evaluate checks a bundle against a policy. The answer is there at once.
func (c *Client) Evaluate(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, policySID string) (
	onboarding.Evaluation, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	r, err := k.resource(either(kind,
		func() error {
			params := &trusthub.CreateCustomerProfileEvaluationParams{PolicySid: &policySID}
			_, err := k.hub().CreateCustomerProfileEvaluation(bundleSID, params)
			return err
		},
		func() error {
			params := &trusthub.CreateTrustProductEvaluationParams{PolicySid: &policySID}
			_, err := k.hub().CreateTrustProductEvaluation(bundleSID, params)
			return err
		}))
	if err != nil {
		return onboarding.Evaluation{}, err
	}
	return r.evaluation(), nil
}

// FindEvaluations lists a bundle's evaluations, newest first.
func (c *Client) FindEvaluations(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID string) (
	[]onboarding.Evaluation, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	err := either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileEvaluationParams{}
			_, err := k.hub().PageCustomerProfileEvaluation(bundleSID, params.SetPageSize(pageSize), "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductEvaluationParams{}
			_, err := k.hub().PageTrustProductEvaluation(bundleSID, params.SetPageSize(pageSize), "", "")
			return err
		})
	found, err := k.all(err, func(*resource) bool { return true })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b resource) int { return byAge(b, a) })
	evaluations := make([]onboarding.Evaluation, 0, len(found))
	for i := range found {
		evaluations = append(evaluations, found[i].evaluation())
	}
	return evaluations, nil
}

func (r *resource) evaluation() onboarding.Evaluation {
	return onboarding.Evaluation{Object: r.object(), Status: hyphenated(r.Status), Results: evaluationResults(r.Results)}
}

// evaluationResults reads an evaluation's results, of which Twilio's specification gives examples but no schema. An entry in another
// shape becomes a result that has not passed, with what it says as the reason.
func evaluationResults(raw json.RawMessage) []onboarding.EvaluationResult {
	var all []onboarding.EvaluationResult
	for _, entry := range entries(raw) {
		var wire struct {
			RequirementName string          `json:"requirement_name"`
			ObjectType      string          `json:"object_type"`
			Passed          json.RawMessage `json:"passed"`
			Code            code            `json:"error_code"`
			FailureReason   string          `json:"failure_reason"`
			Invalid         json.RawMessage `json:"invalid"`
		}
		if !isObject(entry) || unmarshal(entry, &wire) != nil {
			all = append(all, onboarding.EvaluationResult{FailureReason: textOf(entry)})
			continue
		}
		result := onboarding.EvaluationResult{
			RequirementName: wire.RequirementName,
			ObjectType:      wire.ObjectType,
			Code:            int(wire.Code),
			FailureReason:   wire.FailureReason,
			Invalid:         evaluationFields(wire.Invalid),
		}
		if passed := textOf(wire.Passed); passed == "" || passed == "null" {
			result.Passed = result.Code == 0 && result.FailureReason == "" && len(result.Invalid) == 0
		} else {
			result.Passed = strings.EqualFold(passed, "true")
		}
		all = append(all, result)
	}
	return all
}

func evaluationFields(raw json.RawMessage) []onboarding.EvaluationField {
	var all []onboarding.EvaluationField
	for _, entry := range entries(raw) {
		var wire struct {
			ObjectField   string `json:"object_field"`
			Code          code   `json:"error_code"`
			FailureReason string `json:"failure_reason"`
		}
		if !isObject(entry) || unmarshal(entry, &wire) != nil {
			all = append(all, onboarding.EvaluationField{FailureReason: textOf(entry)})
			continue
		}
		all = append(all, onboarding.EvaluationField{
			ObjectField: wire.ObjectField, Code: int(wire.Code), FailureReason: wire.FailureReason,
		})
	}
	return all
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }
