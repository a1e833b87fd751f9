package api

import "fmt"

// checkNumbers refuses a number that is named twice; whether the subaccount holds it, the preflight finds out. The form of each, and how
// many there may be, is the contract's to check. One named by SID and again in E.164 is counted once by the preflight.
func checkNumbers(f *findings, numbers []string) {
	first := make(map[string]int, len(numbers))
	for i := range numbers {
		numbers[i] = lowerSID(numbers[i])
		j, seen := first[numbers[i]]
		if !seen {
			first[numbers[i]] = i
			continue
		}
		f.fault(fmt.Sprintf("/phone_numbers/%d", i), "duplicate", fmt.Sprintf("This is the same as /phone_numbers/%d. Name each number once.", j))
	}
}
