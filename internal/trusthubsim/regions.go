package trusthubsim

import (
	"fmt"
	"strconv"
	"strings"
)

// region is a state of the USA or a province of Canada with the beginnings of its postal codes.
type region struct {
	country, code, name string
	begins              string // in the USA ranges of three digits, in Canada letters
}

// regions are those of the USA, with its territories and military mail, and of Canada.
var regions = []region{
	{"US", "AL", "Alabama", "350-369"}, {"US", "AK", "Alaska", "995-999"}, {"US", "AZ", "Arizona", "850-865"},
	{"US", "AR", "Arkansas", "716-729 755-755"}, {"US", "CA", "California", "900-961"},
	{"US", "CO", "Colorado", "800-816"}, {"US", "CT", "Connecticut", "060-069"}, {"US", "DE", "Delaware", "197-199"},
	{"US", "DC", "District of Columbia", "200-205 569-569"}, {"US", "FL", "Florida", "320-349"},
	{"US", "GA", "Georgia", "300-319 398-399"}, {"US", "HI", "Hawaii", "967-968"}, {"US", "ID", "Idaho", "832-838"},
	{"US", "IL", "Illinois", "600-629"}, {"US", "IN", "Indiana", "460-479"}, {"US", "IA", "Iowa", "500-528"},
	{"US", "KS", "Kansas", "660-679"}, {"US", "KY", "Kentucky", "400-427"}, {"US", "LA", "Louisiana", "700-714"},
	{"US", "ME", "Maine", "039-049"}, {"US", "MD", "Maryland", "206-219"}, {"US", "MA", "Massachusetts", "010-027 055-055"},
	{"US", "MI", "Michigan", "480-499"}, {"US", "MN", "Minnesota", "550-567"}, {"US", "MS", "Mississippi", "386-397"},
	{"US", "MO", "Missouri", "630-658"}, {"US", "MT", "Montana", "590-599"}, {"US", "NE", "Nebraska", "680-693"},
	{"US", "NV", "Nevada", "889-898"}, {"US", "NH", "New Hampshire", "030-038"}, {"US", "NJ", "New Jersey", "070-089"},
	{"US", "NM", "New Mexico", "870-884"}, {"US", "NY", "New York", "100-149 005-005 063-063"},
	{"US", "NC", "North Carolina", "270-289"}, {"US", "ND", "North Dakota", "580-588"}, {"US", "OH", "Ohio", "430-459"},
	{"US", "OK", "Oklahoma", "730-732 734-749"}, {"US", "OR", "Oregon", "970-979"}, {"US", "PA", "Pennsylvania", "150-196"},
	{"US", "RI", "Rhode Island", "028-029"}, {"US", "SC", "South Carolina", "290-299"}, {"US", "SD", "South Dakota", "570-577"},
	{"US", "TN", "Tennessee", "370-385"}, {"US", "TX", "Texas", "750-799 733-733 885-885"}, {"US", "UT", "Utah", "840-847"},
	{"US", "VT", "Vermont", "050-054 056-059"}, {"US", "VA", "Virginia", "220-246 201-201"},
	{"US", "WA", "Washington", "980-994"}, {"US", "WV", "West Virginia", "247-268"}, {"US", "WI", "Wisconsin", "530-549"},
	{"US", "WY", "Wyoming", "820-831"}, {"US", "PR", "Puerto Rico", "006-007 009-009"},
	{"US", "VI", "Virgin Islands", "008-008"}, {"US", "GU", "Guam", "969-969"}, {"US", "AS", "American Samoa", "967-967"},
	{"US", "MP", "Northern Mariana Islands", "969-969"}, {"US", "AA", "Armed Forces Americas", "340-340"},
	{"US", "AE", "Armed Forces Europe", "090-098"}, {"US", "AP", "Armed Forces Pacific", "962-966"},

	{"CA", "AB", "Alberta", "T"}, {"CA", "BC", "British Columbia", "V"}, {"CA", "MB", "Manitoba", "R"},
	{"CA", "NB", "New Brunswick", "E"}, {"CA", "NL", "Newfoundland and Labrador", "A"}, {"CA", "NS", "Nova Scotia", "B"},
	{"CA", "NT", "Northwest Territories", "X"}, {"CA", "NU", "Nunavut", "X"}, {"CA", "ON", "Ontario", "KLMNP"},
	{"CA", "PE", "Prince Edward Island", "C"}, {"CA", "QC", "Quebec", "HJG"}, {"CA", "SK", "Saskatchewan", "S"},
	{"CA", "YT", "Yukon", "Y"},
}

// regionOf is the region of a country with a code or a name, without regard to case, or nil.
func regionOf(country, text string) *region {
	text = strings.TrimSpace(text)
	for i := range regions {
		if r := &regions[i]; r.country == country && (strings.EqualFold(r.code, text) || strings.EqualFold(r.name, text)) {
			return r
		}
	}
	return nil
}

// regionByPostalCode is the code of the region that a postal code is of, "" if of none.
func regionByPostalCode(country, postalCode string) string {
	for i := range regions {
		if r := &regions[i]; r.country == country && r.has(postalCode) {
			return r.code
		}
	}
	return ""
}

// has says whether a postal code begins as those of the region do.
func (r *region) has(postalCode string) bool {
	postalCode = strings.ToUpper(strings.TrimSpace(postalCode))
	if r.country == "CA" {
		return postalCode != "" && strings.Contains(r.begins, postalCode[:1])
	}
	if len(postalCode) < 5 {
		return false
	}
	for span := range strings.FieldsSeq(r.begins) {
		if first, last, _ := strings.Cut(span, "-"); postalCode[:3] >= first && postalCode[:3] <= last {
			return true
		}
	}
	return false
}

// example is a postal code of the region.
func (r *region) example() string {
	if r.country == "CA" {
		return r.begins[:1] + "1A 1A1"
	}
	first, err := strconv.Atoi(r.begins[:3])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%03d01", first)
}
