package api

import (
	"fmt"

	"github.com/nyaruka/phonenumbers"
)

// checkNumbers refuses a number that is named twice, and one with too few or too many digits for
// its country. The contract checks the form of a number and how many there are. The preflight finds
// out whether the subaccount holds a number, and counts a number once that is named by SID and in
// E.164.
//
// Area codes are not checked: new ones are in use before a list here has them, and Twilio knows the
// number.
func checkNumbers(f *findings, numbers []string) {
	first := make(map[string]int, len(numbers))
	for i := range numbers {
		numbers[i] = lowerSID(numbers[i])
		j, seen := first[numbers[i]]
		if !seen {
			first[numbers[i]] = i
			checkDigits(f, fmt.Sprintf("/phone_numbers/%d", i), numbers[i])
			continue
		}
		f.fault(fmt.Sprintf("/phone_numbers/%d", i), "duplicate", fmt.Sprintf("This is the same as /phone_numbers/%d. Name each number once.", j))
	}
}

func checkDigits(f *findings, pointer, number string) {
	if !e164Form.MatchString(number) {
		return // A SID, or the contract says what is wrong with it.
	}
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		f.fault(pointer, "format", "Numbers of that country have another number of digits. Check the country code and the length.")
	}
}
