package trusthubsim

import (
	"regexp"
	"strings"
)

// countries are the codes of ISO 3166-1. UK is none: the United Kingdom is GB.
const countries = " AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ" +
	" CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR" +
	" GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP" +
	" KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ" +
	" NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW" +
	" SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ" +
	" UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "

func isCountry(text string) bool {
	return len(text) == 2 && strings.Contains(countries, " "+text+" ")
}

// postalCodes are the forms of postal codes in the countries whose addresses Twilio's documents say
// are validated when they are made, and in the USA and Canada.
var postalCodes = map[string]*regexp.Regexp{
	"US": regexp.MustCompile(`^\d{5}(-?\d{4})?$`),
	"CA": regexp.MustCompile(`(?i)^[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d$`),
	"AT": fourDigits, "AU": fourDigits, "LU": fourDigits,
	"DE": fiveDigits, "ES": fiveDigits, "FR": fiveDigits, "IT": fiveDigits, "MX": fiveDigits,
	"BR": regexp.MustCompile(`^\d{5}-?\d{3}$`),
	"GB": regexp.MustCompile(`(?i)^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$`),
	"IE": regexp.MustCompile(`(?i)^[A-Z]\d[\dW] ?[A-Z\d]{4}$`),
	"NL": regexp.MustCompile(`(?i)^\d{4} ?[A-Z]{2}$`),
	"PL": regexp.MustCompile(`^\d{2}-?\d{3}$`),
}

var (
	fourDigits = regexp.MustCompile(`^\d{4}$`)
	fiveDigits = regexp.MustCompile(`^\d{5}$`)
)
