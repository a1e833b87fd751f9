package onboarding_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestASIDIsTwoLettersAnd32HexDigits(t *testing.T) {
	t.Parallel()
	const digits = "0123456789abcdef0123456789ABCDEF"
	for _, c := range []struct {
		prefix, text string
		want         bool
	}{
		{"AC", "AC" + digits, true},
		{"", "BU" + digits, true},
		{"AC", "BU" + digits, false},
		{"", "ac" + digits, false},
		{"", "AC" + digits[1:], false},
		{"", "AC" + digits + "0", false},
		{"", "AC" + digits[1:] + "g", false},
		{"AC", "AC" + digits + "/../" + digits, false},
		{"AC", "AC" + digits + "\n", false},
		{"AC", " AC" + digits, false},
		{"AC", "AC", false},
		{"", "", false},
	} {
		if got := onboarding.IsSID(c.prefix, c.text); got != c.want {
			t.Errorf("IsSID(%q, %q) = %v, want %v", c.prefix, c.text, got, c.want)
		}
	}
}

func TestOnlyTheDigitsOfASIDAreLowered(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("0aF", 10) + "C1"
	if got, want := onboarding.LowerSID("PN"+digits), "PN"+strings.ToLower(digits); got != want {
		t.Errorf("LowerSID is %s, want %s", got, want)
	}
	for _, text := range []string{"", "+15005550100", "PN" + digits + "A", "A Name"} {
		if got := onboarding.LowerSID(text); got != text {
			t.Errorf("LowerSID(%q) = %q; what is no SID stays as it is", text, got)
		}
	}
}

func TestSIDsAreFoundInAText(t *testing.T) {
	t.Parallel()
	first, second := "BU"+strings.Repeat("0", 31)+"b", "BU"+strings.Repeat("0", 31)+"C"
	number := "PN" + strings.Repeat("1", 32)
	text := number + " is on " + first + ", (" + second + "); not X" + first + " or " + second + "0"
	if got, want := onboarding.SIDsIn("BU", text), []string{first, second}; !slices.Equal(got, want) {
		t.Errorf("bundles in %q: %q, want %q", text, got, want)
	}
	if got, want := onboarding.SIDsIn("", text), []string{number, first, second}; !slices.Equal(got, want) {
		t.Errorf("SIDs in %q: %q, want %q", text, got, want)
	}
	if got := onboarding.SIDsIn("BU", "Conflict"); got != nil {
		t.Errorf("found %q in a text without any", got)
	}
}
