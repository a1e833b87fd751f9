package api

import (
	"encoding/json"
	"errors"
)

// numberSelection is the phone_numbers of a request: a list, or all that the subaccount has.
type numberSelection struct {
	All     bool
	Numbers []string
}

// MarshalJSON implements json.Marshaler.
func (s numberSelection) MarshalJSON() ([]byte, error) {
	if s.All {
		return []byte(`"all"`), nil
	}
	return json.Marshal(s.Numbers)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *numberSelection) UnmarshalJSON(data []byte) error {
	*s = numberSelection{}
	if string(data) == `"all"` {
		s.All = true
		return nil
	}
	err := json.Unmarshal(data, &s.Numbers)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return nil // The contract reports it. The rest of the body is read all the same.
	}
	return err
}
