package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergePatch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ target, patch, want string }{
		"nothing":                            {`{"a":"b"}`, `{}`, `{"a":"b"}`},
		"a member is replaced":               {`{"a":"b","c":"d"}`, `{"a":"x"}`, `{"a":"x","c":"d"}`},
		"a member is added":                  {`{"a":"b"}`, `{"c":"d"}`, `{"a":"b","c":"d"}`},
		"null takes a member away":           {`{"a":"b","c":"d"}`, `{"a":null}`, `{"c":"d"}`},
		"null for what is not there":         {`{"a":"b"}`, `{"c":null}`, `{"a":"b"}`},
		"objects are merged in depth":        {`{"a":{"b":"c","d":"e"}}`, `{"a":{"b":"x"}}`, `{"a":{"b":"x","d":"e"}}`},
		"nulls in depth":                     {`{"a":{"b":"c","d":"e"}}`, `{"a":{"b":null}}`, `{"a":{"d":"e"}}`},
		"nulls of a new object are nothing":  {`{}`, `{"a":{"b":{"c":null}}}`, `{"a":{"b":{}}}`},
		"an array is replaced whole":         {`{"a":["b","c"]}`, `{"a":["d"]}`, `{"a":["d"]}`},
		"nulls in an array stay":             {`{"a":["b"]}`, `{"a":[null,{"c":null}]}`, `{"a":[null,{"c":null}]}`},
		"an object replaces what is none":    {`{"a":["b"]}`, `{"a":{"c":"d","e":null}}`, `{"a":{"c":"d"}}`},
		"what is no object replaces one":     {`{"a":{"b":"c"}}`, `{"a":"x"}`, `{"a":"x"}`},
		"what is no object replaces all":     {`{"a":"b"}`, `["c"]`, `["c"]`},
		"an object replaces all of an array": {`["a"]`, `{"b":"c"}`, `{"b":"c"}`},
		"a number stays as it was written":   {`{"a":1}`, `{"a":1e999}`, `{"a":1e999}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decode := func(s string) any {
				document, err := decodeDocument([]byte(s))
				if err != nil {
					t.Fatal(err)
				}
				return document
			}
			if diff := cmp.Diff(decode(test.want), mergePatch(decode(test.target), decode(test.patch))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
