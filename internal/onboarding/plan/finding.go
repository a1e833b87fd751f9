package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// finding is something that Twilio finds amiss, whichever way it says so.
type finding struct {
	code int
	// object is Twilio's type of what it is about, such as "authorized_representative_1"; "" if it
	// does not say.
	object string
	// field is the attribute that it is about; "" if it does not say.
	field string
	// said is Twilio's own text.
	said   string
	source onboarding.Source
	// pointer is where the step that met it would point.
	pointer string
}

// object is a type of Twilio's objects: where its attributes stand in the request, and what people
// call it.
type object struct {
	kind    string
	pointer string
	name    string
	// fields says that its attributes have the same names in the request.
	fields bool
}

// objects are the types that findings name. A requirement of a policy is named after the type, with
// more around it, so the longer names come first.
var objects = []object{
	{"customer_profile_business_information", "/business", "the business information", true},
	{"authorized_representative_1", "/authorized_representatives/0", "the first authorized representative", true},
	{"authorized_representative_2", "/authorized_representatives/1", "the second authorized representative", true},
	{"customer_profile_address", "/address", "the address", false},
	{"primary_customer_profile", "/primary_profile_sid", "the primary business profile", false},
	{"voice_integrity_information", "/voice_integrity", "the Voice Integrity information", true},
	{"cnam_information", "/cnam", "the CNAM information", true},
}

// objectOf finds the object that Twilio's names are about; the zero object if they name none.
func objectOf(names ...string) object {
	for _, o := range objects {
		for _, name := range names {
			if strings.Contains(name, o.kind) {
				return o
			}
		}
	}
	return object{}
}

// requirement turns the finding into what someone must do about it. The most exact advice counts:
// for code, object and field together, then for code and object, then for the code alone.
func (f finding) requirement(r onboarding.Request) []onboarding.Requirement {
	o := objectOf(f.object)
	field := ""
	if o.fields && f.field != "" {
		field = "/" + f.field
	}
	a := adviceFor(f.code, o, f.field)
	asked := onboarding.Requirement{
		Code: strconv.Itoa(f.code), Message: a.message, TwilioMessage: shortened(f.said), Source: f.source,
		Pointer:     cmp.Or(o.pointer+field, f.pointer),
		Responsible: cmp.Or(a.responsible, onboarding.ResponsibleCustomer), Action: cmp.Or(a.action, onboarding.ActionCorrect),
	}
	if a.pointers == nil {
		return []onboarding.Requirement{asked}
	}
	var all []onboarding.Requirement
	for _, pointer := range a.pointers(r) {
		asked.Pointer = pointer
		if strings.HasPrefix(f.pointer, pointer+"/") { // The step knows better which part it sent.
			asked.Pointer = f.pointer
		}
		all = append(all, asked)
	}
	return all
}

// shortened is as much of Twilio's text as a requirement keeps.
func shortened(text string) string {
	letters := []rune(text)
	if len(letters) > onboarding.MostTwilioMessage {
		return string(letters[:onboarding.MostTwilioMessage-1]) + "…"
	}
	return text
}

// distinct returns the requirements without those that ask for what an earlier one asks for.
func distinct(all []onboarding.Requirement) []onboarding.Requirement {
	var some []onboarding.Requirement
	for _, r := range all {
		is := func(other onboarding.Requirement) bool { return other.IsSame(r) }
		if !slices.ContainsFunc(some, is) {
			some = append(some, r)
		}
	}
	return some
}
