package trusthubsim

// fieldsResultJSON is a result in the older shape: all fields in one list. Passed is left out where
// the switch says so.
type fieldsResultJSON struct {
	FriendlyName            string      `json:"friendly_name"`
	ObjectType              string      `json:"object_type"`
	Passed                  *bool       `json:"passed,omitempty"`
	FailureReason           *string     `json:"failure_reason"`
	ErrorCode               *int        `json:"error_code"`
	Fields                  []validJSON `json:"fields"`
	RequirementFriendlyName string      `json:"requirement_friendly_name"`
	RequirementName         string      `json:"requirement_name"`
}

// shaped is the results as they are written in a shape.
func shaped(results []resultJSON, shape EvaluationShape) any {
	if shape == ShapeValidInvalid {
		return results
	}
	older := make([]fieldsResultJSON, len(results))
	for i, r := range results {
		older[i] = fieldsResultJSON{
			FriendlyName: r.FriendlyName, ObjectType: r.ObjectType, FailureReason: r.FailureReason, ErrorCode: r.ErrorCode,
			Fields: append([]validJSON{}, r.Valid...), RequirementFriendlyName: r.RequirementFriendlyName, RequirementName: r.RequirementName,
		}
		if shape == ShapeFields {
			older[i].Passed = &r.Passed
		}
		for _, f := range r.Invalid {
			older[i].Fields = append(older[i].Fields, validJSON{
				FriendlyName: f.FriendlyName, ObjectField: f.ObjectField, FailureReason: &f.FailureReason, ErrorCode: &f.ErrorCode,
			})
		}
	}
	return older
}
