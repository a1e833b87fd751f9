package onboarding

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// RequestChange is one member of a request that is different in two versions. Old and New are JSON
// values as [json.Unmarshal] decodes them; nil is a member that was not there.
type RequestChange struct {
	// Pointer is a JSON pointer (RFC 6901) into the request.
	Pointer  string
	Old, New any
}

// RequestChanges compares two versions of a request as they are stored. Objects are compared member
// by member and lists of objects entry by entry; a list of anything else, such as the numbers, is
// one member, because an entry that was added shifts the others.
func RequestChanges(before, after []byte) ([]RequestChange, error) {
	var documents [2]any
	for i, text := range [][]byte{before, after} {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&documents[i]); err != nil {
			return nil, fmt.Errorf("decode a version of a request: %w", err)
		}
	}
	return changes("", shown(documents[0]), shown(documents[1])), nil
}

// shown is a stored request with its numbers as everybody else writes them: a list, or "all".
func shown(document any) any {
	if members, ok := document.(map[string]any); ok && members["all_phone_numbers"] == true {
		delete(members, "all_phone_numbers")
		members["phone_numbers"] = "all"
	}
	return document
}

func changes(pointer string, before, after any) []RequestChange {
	switch a := before.(type) {
	case map[string]any:
		if b, ok := after.(map[string]any); ok {
			return memberChanges(pointer, a, b)
		}
	case []any:
		if b, ok := after.([]any); ok && ofObjects(a) && ofObjects(b) {
			return entryChanges(pointer, a, b)
		}
	}
	if equalJSON(before, after) {
		return nil
	}
	return []RequestChange{{Pointer: pointer, Old: before, New: after}}
}

func memberChanges(pointer string, before, after map[string]any) []RequestChange {
	names := maps.Clone(before)
	maps.Copy(names, after)
	var all []RequestChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, changes(pointer+"/"+pointerToken(name), before[name], after[name])...)
	}
	return all
}

func entryChanges(pointer string, before, after []any) []RequestChange {
	at := func(entries []any, i int) any {
		if i < len(entries) {
			return entries[i]
		}
		return nil
	}
	var all []RequestChange
	for i := range max(len(before), len(after)) {
		all = append(all, changes(pointer+"/"+strconv.Itoa(i), at(before, i), at(after, i))...)
	}
	return all
}

func ofObjects(entries []any) bool {
	for _, e := range entries {
		if _, ok := e.(map[string]any); !ok {
			return false
		}
	}
	return true
}

func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// pointerToken writes a name as a part of a JSON pointer.
func pointerToken(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// ChangedPointers returns pointers to the members that differ between two requests. A member that
// one of them does not have at all is told of by its own members, down to the last.
func ChangedPointers(before, after Request) ([]string, error) {
	var documents [2]any
	for i, r := range []Request{before, after} {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encode a version of a request: %w", err)
		}
		if err := json.Unmarshal(text, &documents[i]); err != nil {
			return nil, fmt.Errorf("decode a version of a request: %w", err)
		}
	}
	var pointers []string
	for _, c := range changes("", shown(documents[0]), shown(documents[1])) {
		pointers = append(pointers, leaves(c.Pointer, c.Old, c.New)...)
	}
	return pointers, nil
}

func eitherOf(before, after any) any {
	if before == nil {
		return after
	}
	return before
}

// leaves returns the pointers below the pointer at which one of the two values is there alone.
func leaves(pointer string, before, after any) []string {
	members, ok := eitherOf(before, after).(map[string]any)
	if !ok || before != nil && after != nil {
		return []string{pointer}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		all = append(all, leaves(pointer+"/"+pointerToken(name), members[name], nil)...)
	}
	return all
}
