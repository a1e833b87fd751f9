package trusthub

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// Evaluate checks a bundle against a policy. The answer has the result.
func (c *Client) Evaluate(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, policySID string,
) (onboarding.Evaluation, error) {
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
func (c *Client) FindEvaluations(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID string,
) ([]onboarding.Evaluation, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	err := either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileEvaluationParams{}
			params.SetPageSize(pageSize)
			_, err := k.hub().PageCustomerProfileEvaluation(bundleSID, params, "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductEvaluationParams{}
			params.SetPageSize(pageSize)
			_, err := k.hub().PageTrustProductEvaluation(bundleSID, params, "", "")
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
	return onboarding.Evaluation{
		Object: r.object(), Status: hyphenated(r.Status), Results: evaluationResults(r.Results),
	}
}

// evaluationResults reads an evaluation's results. Twilio's specification has examples of them and
// no schema. An element of another form becomes a failed result whose reason is the element.
func evaluationResults(raw json.RawMessage) []onboarding.EvaluationResult {
	var all []onboarding.EvaluationResult
	for _, element := range elements(raw) {
		var fields struct {
			RequirementName string          `json:"requirement_name"`
			ObjectType      string          `json:"object_type"`
			Passed          json.RawMessage `json:"passed"`
			Code            code            `json:"error_code"`
			FailureReason   string          `json:"failure_reason"`
			Invalid         json.RawMessage `json:"invalid"`
		}
		if !isObject(element) || unmarshalLenient(element, &fields) != nil {
			all = append(all, onboarding.EvaluationResult{FailureReason: textOf(element)})
			continue
		}
		result := onboarding.EvaluationResult{
			RequirementName: fields.RequirementName,
			ObjectType:      fields.ObjectType,
			Code:            int(fields.Code),
			FailureReason:   fields.FailureReason,
			Invalid:         evaluationFields(fields.Invalid),
		}
		if passed := textOf(fields.Passed); passed == "" || passed == "null" {
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
	for _, element := range elements(raw) {
		var fields struct {
			ObjectField   string `json:"object_field"`
			Code          code   `json:"error_code"`
			FailureReason string `json:"failure_reason"`
		}
		if !isObject(element) || unmarshalLenient(element, &fields) != nil {
			all = append(all, onboarding.EvaluationField{FailureReason: textOf(element)})
			continue
		}
		all = append(all, onboarding.EvaluationField{
			ObjectField:   fields.ObjectField,
			Code:          int(fields.Code),
			FailureReason: fields.FailureReason,
		})
	}
	return all
}
