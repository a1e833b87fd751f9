package api

import (
	"slices"
	"strconv"
	"strings"
)

// maxFaults bounds an answer. A body of 1 MiB can have some hundred thousand faults.
const maxFaults = 1000

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer writes the name of a member as a token of a JSON pointer (RFC 6901).
func escapePointer(name string) string { return pointerEscapes.Replace(name) }

// pointerOf joins names to a JSON pointer.
func pointerOf(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteByte('/')
		b.WriteString(escapePointer(name))
	}
	return b.String()
}

// mergeFaults joins the faults that the contract and our own rules found in one body.
//
// If both found a fault in the same member, ours stays, because it says better what to change.
// There are two exceptions. If the contract finds a member missing, unknown or of the wrong type,
// our rules have not seen what was sent: the contract's fault stays, and ours about this member and
// everything in it go. And if our rules could not read a member of an object, what they miss in
// that object may be there: such faults go too.
func mergeFaults(contract, own []Fault) []Fault {
	unseen := make(map[string]bool)
	unreadWithin := make(map[string]bool)
	ownPointers := make(map[string]bool, len(own))
	for _, f := range contract {
		switch f.Code {
		case "type", "null":
			unseen[f.Pointer] = true
			unreadWithin[f.Pointer[:max(0, strings.LastIndexByte(f.Pointer, '/'))]] = true
		case "required", "unknown_member":
			unseen[f.Pointer] = true
		}
	}
	var merged []Fault
	for _, f := range own {
		if !withinAny(unseen, f.Pointer) && (f.Code != "required" || !unreadWithin[f.Pointer]) {
			ownPointers[f.Pointer] = true
			merged = append(merged, f)
		}
	}
	for _, f := range contract {
		if f.Parameter != nil || !ownPointers[f.Pointer] {
			merged = append(merged, f)
		}
	}
	return merged
}

// withinAny tells whether the pointers have this pointer or one of its parents.
func withinAny(pointers map[string]bool, pointer string) bool {
	for {
		if pointers[pointer] {
			return true
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return false
		}
		pointer = pointer[:i]
	}
}

// sortFaults sorts faults by pointer, keeps one for each pointer and parameter, and at most
// maxFaults.
func sortFaults(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if c := strings.Compare(parameterOf(a), parameterOf(b)); c != 0 {
			return c
		}
		return comparePointers(a.Pointer, b.Pointer)
	})
	faults = slices.CompactFunc(faults, func(a, b Fault) bool {
		return a.Pointer == b.Pointer && parameterOf(a) == parameterOf(b)
	})
	return faults[:min(len(faults), maxFaults)]
}

func parameterOf(f Fault) string {
	if f.Parameter == nil {
		return ""
	}
	return *f.Parameter
}

// comparePointers compares token by token, and the indexes of arrays as numbers.
func comparePointers(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return i - j
		}
		return strings.Compare(x, y)
	})
}
