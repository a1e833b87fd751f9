package trusthub

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// The readers below bear JSON that differs from Twilio's specification. The specification leaves
// much open, and a field in an odd form is not worth a lost SID.

// unmarshalLenient is json.Unmarshal, but a field of an unexpected type stays empty.
func unmarshalLenient(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return nil
	}
	return err
}

// date is a date as Twilio writes it: ISO 8601 in Trust Hub, RFC 2822 in the 2010-04-01 API. One in
// neither form stays zero.
type date struct{ time.Time }

var dateLayouts = []string{
	time.RFC3339Nano,
	time.RFC1123Z,
	"Mon, 2 Jan 2006 15:04:05 -0700",
	time.RFC1123,
	"2006-01-02T15:04:05",
}

// UnmarshalJSON never fails.
func (d *date) UnmarshalJSON(b []byte) error {
	var text string
	_ = json.Unmarshal(b, &text) // A value other than a text is in none of the forms.
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			d.Time = t.UTC()
			return nil
		}
	}
	return nil
}

// code is an error code, given as a number or as a string of digits; 0 otherwise.
type code int

// UnmarshalJSON never fails.
func (c *code) UnmarshalJSON(b []byte) error {
	if n := codeOf(b); n != 0 {
		*c = code(n)
	}
	return nil
}

// codeOf is the error code in a JSON value, or 0.
func codeOf(raw json.RawMessage) int {
	n, err := strconv.Atoi(strings.TrimSpace(string(bytes.Trim(raw, `"`))))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// elements returns the elements of a JSON array. Another value counts as its own only element; null
// and nothing have none.
func elements(raw json.RawMessage) []json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) == nil {
		return all
	}
	return []json.RawMessage{raw}
}

// textOf is a JSON value as text: a string without its quotes, any other value in its shortest
// form.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var short bytes.Buffer
	if json.Compact(&short, raw) != nil {
		return string(raw)
	}
	return short.String()
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }
