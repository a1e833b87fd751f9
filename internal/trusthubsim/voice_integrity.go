package trusthubsim

import (
	"regexp"
	"strings"
)

// useCases are those that Voice Integrity takes, exact in wording and case.
var useCases = strings.Split("Identify & Verification; Asset Management; Lead Generation; Intelligent Routing; Appointment Scheduling;"+
	" Customer Support; Self-Service; Automated Support; Appointment Reminders; Employee Notifications; Delivery Notifications;"+
	" Emergency Notifications; Contactless Delivery; Order Notifications; Service Alerts; Purchase Confirmation; Mass Alerts;"+
	" Fraud Alerts; Contact Tracing; Lead Management; Lead Nurturing; Telemarketing; Marketing Events; Rewards Program; Lead Alerts;"+
	" Lead Distribution; Abandoned Cart; Call Tracking; Outbound Dialer; Click to Call; Phone System; Meetings/Collaboration; Telehealth;"+
	" Distance Learning; Shift Management; Field Notifications; Dating/Social; Remote appointments; Group Messaging; Exam Proctoring;"+
	" Tutoring; Therapy (Individual+Group); Pharmacy; First Responder; Survey/Research", "; ")

func useCase(value string, in checked) string {
	if in.cfg.AnyUseCase {
		return ""
	}
	return among(useCases...)(value, in)
}

var (
	positiveNumber = regexp.MustCompile(`^[1-9]\d*$`)
	numberRange    = regexp.MustCompile(`^[1-9]\d*-[1-9]\d*$`)
)

func count(value string, in checked) string {
	if positiveNumber.MatchString(value) || in.cfg.CountRanges && numberRange.MatchString(value) {
		return ""
	}
	return in.field.friendlyName + " should be a positive whole number."
}
