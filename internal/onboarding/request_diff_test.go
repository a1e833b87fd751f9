package onboarding

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheChangesBetweenTwoVersionsPointAtWhatIsDifferent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, after string
		want          []RequestChange
	}{
		"nothing":              {`{"a": {"b": 1}, "l": [1, {}]}`, `{"l": [1, {}], "a": {"b": 1}}`, nil},
		"a member":             {`{"a": {"b": "x", "c": "y"}}`, `{"a": {"b": "z", "c": "y"}}`, []RequestChange{{"/a/b", "x", "z"}}},
		"one more, one less":   {`{"a": "x"}`, `{"b": "y"}`, []RequestChange{{"/a", "x", nil}, {"/b", nil, "y"}}},
		"a name to be escaped": {`{"a/b~": 1}`, `{"a/b~": 2}`, []RequestChange{{"/a~1b~0", json.Number("1"), json.Number("2")}}},
		"an entry of objects":  {`{"p": [{"n": "x"}, {"n": "y"}]}`, `{"p": [{"n": "x"}, {"n": "z"}]}`, []RequestChange{{"/p/1/n", "y", "z"}}},
		"an object more":       {`{"p": [{"n": "x"}]}`, `{"p": [{"n": "x"}, {"n": "y"}]}`, []RequestChange{{"/p/1", nil, map[string]any{"n": "y"}}}},
		"a list of texts is one": {
			`{"numbers": ["a", "b"]}`, `{"numbers": ["b"]}`, []RequestChange{{"/numbers", []any{"a", "b"}, []any{"b"}}},
		},
		"a list that became a word": {`{"numbers": ["a"]}`, `{"numbers": "all"}`, []RequestChange{{"/numbers", []any{"a"}, "all"}}},
		// As it is stored, and as everybody else writes it.
		"some numbers became all": {
			`{"phone_numbers": ["a"]}`, `{"phone_numbers": null, "all_phone_numbers": true}`, []RequestChange{{"/phone_numbers", []any{"a"}, "all"}},
		},
		"all numbers became some": {
			`{"phone_numbers": null, "all_phone_numbers": true}`, `{"phone_numbers": ["a"]}`, []RequestChange{{"/phone_numbers", "all", []any{"a"}}},
		},
	} {
		got, err := RequestChanges([]byte(test.before), []byte(test.after))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAVersionThatIsNoJSONIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := RequestChanges([]byte(`{}`), []byte(`{`)); err == nil {
		t.Error("it was read")
	}
}
