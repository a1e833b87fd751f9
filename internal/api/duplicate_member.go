package api

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// duplicateMember returns the pointer to a member that an object has twice. Readers of JSON differ
// in which of the two they use, so the sender of both cannot know what would be done. The document
// must be valid JSON.
func duplicateMember(document []byte) (pointer string, twice bool) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	twice = findDuplicateMember(decoder, &pointer)
	return pointer, twice
}

// findDuplicateMember reads one value. Its depth is bounded, because the document has been decoded
// before.
func findDuplicateMember(decoder *json.Decoder, pointer *string) bool {
	token, _ := decoder.Token()
	begun := *pointer
	switch token {
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			*pointer = begun + "/" + strconv.Itoa(i)
			if findDuplicateMember(decoder, pointer) {
				return true
			}
		}
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() {
			token, _ := decoder.Token()
			name, _ := token.(string)
			*pointer = begun + "/" + escapePointer(name)
			if seen[name] || findDuplicateMember(decoder, pointer) {
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
