package api

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// mergePatch applies a JSON merge patch (RFC 7396) to a decoded document. The members of an object
// in the patch replace those of the same name, null removes a member, and any other value replaces
// the whole. The result may share parts with both arguments.
func mergePatch(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged, ok := target.(map[string]any)
	if !ok {
		merged = make(map[string]any, len(change))
	}
	for name, v := range change {
		if v == nil {
			delete(merged, name)
			continue
		}
		merged[name] = mergePatch(merged[name], v)
	}
	return merged
}

// decodeDocument decodes JSON and leaves numbers as they are written, however large.
func decodeDocument(encoded []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("decode a JSON document: %w", err)
	}
	return document, nil
}
