package api

import (
	"slices"
	"strconv"
	"strings"
)

// maxFaults bounds an answer: a body of 1 MiB can have some hundred thousand faults.
const maxFaults = 1000

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer writes a member's name as a token of a JSON pointer (RFC 6901).
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

// mergeFaults puts what the contract and what our own rules say about one body together, saying nothing twice. About the same member our
// own rules say more clearly what to change, but where the contract finds a member missing, unknown or of the wrong type, our rules
// never saw what was sent: then, and for everything within such a member, the contract's word stands alone. Nor do our rules miss anything
// in an object of which they could not read a member that was sent.
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

// withinAny tells whether the pointer, or one that it begins with, is among the pointers.
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

// sortFaults puts faults into the order of their pointers, one for each pointer and parameter, at most maxFaults.
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

// comparePointers compares token by token, array indexes as numbers.
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
