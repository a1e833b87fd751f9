package trusthubsim

import "strings"

// numberKind is what a phone number is to the products.
type numberKind string

const (
	kindUS       numberKind = "a US number"
	kindTollFree numberKind = "a toll-free number"
	kindNANP     numberKind = "a number of +1 outside the USA"
	kindForeign  numberKind = "a number outside +1"
)

// The area codes of +1 that are toll-free, and those of other countries than the USA and its
// territories.
const (
	tollFreeCodes = " 800 833 844 855 866 877 888 "
	otherCodes    = " 204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 468 474" +
		" 506 514 519 548 579 581 584 587 600 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942 " +
		" 242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876 "
)

// kindOf tells by the country and area code.
func kindOf(number string) numberKind {
	switch code := areaCodeOf(number); {
	case code == "":
		return kindForeign
	case strings.Contains(tollFreeCodes, " "+code+" "):
		return kindTollFree
	case strings.Contains(otherCodes, " "+code+" "):
		return kindNANP
	}
	return kindUS
}

// areaCodeOf is the area code of a number of +1, otherwise "".
func areaCodeOf(number string) string {
	if len(number) != 12 || !strings.HasPrefix(number, "+1") {
		return ""
	}
	return number[2:5]
}

// fits says whether a number may go on a bundle of the policy. Profiles take any.
func (k numberKind) fits(p *policy) bool {
	switch {
	case p.kind == customerProfiles:
		return true
	case p.sid == PolicyCNAM:
		return k == kindUS
	case p.sid == PolicyVoiceIntegrity:
		return k == kindUS || k == kindTollFree
	}
	return k != kindForeign
}

// wants is what a policy takes, in words.
func (p *policy) wants() string {
	switch p.sid {
	case PolicyCNAM:
		return "US numbers that are not toll-free"
	case PolicyVoiceIntegrity:
		return "US numbers"
	}
	return "numbers of +1"
}
