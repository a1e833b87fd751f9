package api

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// memberTwice returns the pointer to a member that an object in a valid JSON document has a second time. Readers differ in which of the two
// they take, so whoever sent both cannot know what would be done.
func memberTwice(document []byte) (pointer string, twice bool) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	twice = findMemberTwice(decoder, &pointer)
	return pointer, twice
}

// findMemberTwice reads one value. How deep it goes is bounded, because the document has been decoded before.
func findMemberTwice(decoder *json.Decoder, pointer *string) bool {
	token, _ := decoder.Token()
	begun := *pointer
	switch token {
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			*pointer = begun + "/" + strconv.Itoa(i)
			if findMemberTwice(decoder, pointer) {
				return true
			}
		}
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() {
			token, _ := decoder.Token()
			name, _ := token.(string)
			*pointer = begun + "/" + escapePointer(name)
			if seen[name] || findMemberTwice(decoder, pointer) {
				return true
			}
			seen[name] = true
		}
	default:
		return false
	}
	_, _ = decoder.Token() // The end of it.
	*pointer = begun
	return false
}
