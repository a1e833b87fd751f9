package trusthubsim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reasonCases are rejections by the data, by a check and by hand, with where their reason is then.
var reasonCases = []struct {
	in                        RejectionReason
	flaw                      flaw
	reject                    func(*testBundle, parts)
	outcome, reason, newestIs string
}{
	{ReasonErrors, badNumber, byData, rejected(18602), wordsByCode[18602], ""},
	{ReasonCallback, badNumber, byData, "twilio-rejected []", wordsByCode[18602], ""},
	{ReasonEvaluation, badNumber, byData, "twilio-rejected []", "", businessInformation + "/business_registration_number 18602"},
	{ReasonErrors, badMail, byData, "twilio-rejected []", emailDisposable, ""},
	{ReasonCallback, badMail, byData, "twilio-rejected []", emailDisposable, ""},
	{ReasonEvaluation, badMail, byData, "twilio-rejected []", "", representative1 + "/email 0"},
	{ReasonErrors, flaw{}, byHand, "twilio-rejected [map[code:18602 message:Not in the register.] map[code:19999]]", "Not in the register. 19999", ""},
	{ReasonCallback, flaw{}, byHand, "twilio-rejected []", "Not in the register. 19999", ""},
	{ReasonEvaluation, flaw{}, byHand, "twilio-rejected []", "", businessInformation + "/business_registration_number 18602"},
}

var (
	badNumber = flaw{business: []string{"business_registration_number", "12-3450000"}}
	badMail   = flaw{first: []string{"email", "owner@mailinator.com"}}
)

func byData(b *testBundle, p parts) {
	b.sub.submit(p.path)
	pass(time.Minute)
}

func byHand(b *testBundle, p parts) {
	b.sub.submit(p.path)
	errors := []ReviewError{{"code": 18602.0, "message": "Not in the register."}, {"code": 19999}}
	if err := b.sim.Review(p.profile, Decision{Status: StatusRejected, Errors: errors}); err != nil {
		b.sub.t.Fatal(err)
	}
}

// TestWhereTheReasonIs: in errors and callback, in the callback alone, or in the newest evaluation
// alone.
func TestWhereTheReasonIs(t *testing.T) {
	t.Parallel()
	for _, test := range reasonCases {
		synctest.Test(t, func(t *testing.T) {
			m := &mailbox{}
			b := setup(t, Config{ReviewDelay: time.Minute, CallbackClient: m, Doubts: Doubts{RejectionReason: test.in}})
			p, _ := b.customer(test.flaw)
			before := len(b.sub.get(p.path + "/Evaluations").list())
			test.reject(b, p)
			if got := b.outcome(p.path); got != test.outcome {
				t.Errorf("%s: the profile is %s, want %s", test.in, got, test.outcome)
			}
			if got := strings.Join(m.reasons(t), "|"); got != test.reason {
				t.Errorf("%s: the callbacks say %q, want %q", test.in, got, test.reason)
			}
			evaluations := b.sub.get(p.path + "/Evaluations").list()
			switch {
			case test.newestIs == "":
				if len(evaluations) != before {
					t.Errorf("%s: %d evaluations, want %d", test.in, len(evaluations), before)
				}
			case len(evaluations) != before+1 || evaluations[0]["status"] != "noncompliant":
				t.Errorf("%s: evaluations %v", test.in, evaluations)
			default:
				newest := result{t: t, body: evaluations[0]}
				if got := newest.failures(); !slices.Contains(got, test.newestIs) {
					t.Errorf("%s: the newest evaluation finds %q, want %q", test.in, got, test.newestIs)
				}
			}
		})
	}
}

// TestADecisionSaysWhatAndWhere: the words of the callback and the place of the reason, whatever
// the switch says.
func TestADecisionSaysWhatAndWhere(t *testing.T) {
	t.Parallel()
	const words = "The business name on the profile does not match the name on the product."
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b := setup(t, Config{Review: ReviewManual, CallbackClient: m})
		p, _ := b.customer(flaw{})
		for _, test := range []struct {
			body            string
			status          int
			outcome, reason string
		}{
			{`{"status": "twilio-rejected", "failure_reason": "` + words + `"}`, 204, "twilio-rejected []", words},
			{`{"status": "twilio-rejected", "errors": [{"code": 18601}], "failure_reason": "` + words + `"}`, 204, rejected(18601), words},
			{`{"status": "twilio-rejected", "errors": [{"code": 18601}], "reason_in": "callback"}`, 204, "twilio-rejected []", wordsByCode[18601]},
			{`{"status": "twilio-rejected", "errors": [{"code": 18601}], "reason_in": "evaluation"}`, 204, "twilio-rejected []", ""},
			{`{"status": "twilio-rejected", "errors": [{"code": 18601}], "reason_in": "mail"}`, 400, "pending-review", ""},
		} {
			b.sub.submit(p.path)
			before := len(m.reasons(t))
			if status, answered := b.control(t, http.MethodPost, "/_sim/reviews/"+p.profile, test.body); status != test.status {
				t.Errorf("%s is answered %d: %v", test.body, status, answered)
			}
			if got := b.outcome(p.path); got != test.outcome {
				t.Errorf("%s: the profile is %s, want %s", test.body, got, test.outcome)
			}
			if got := strings.Join(m.reasons(t)[before:], "|"); got != test.reason {
				t.Errorf("%s: the callback says %q, want %q", test.body, got, test.reason)
			}
		}
	})
}

// TestAnApprovalForgetsTheReason: it is not told with a later status.
func TestAnApprovalForgetsTheReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &mailbox{}
		b, p := called(t, Callbacks{}, m, StatusRejected)
		b.sub.submit(p.path)
		b.decide(t, p.profile, StatusApproved)
		if got := m.reasons(t); len(got) != 1 {
			t.Errorf("%d reasons %q, want that of the rejection", len(got), got)
		}
		b.decide(t, p.profile, StatusRejected, 18601)
		b.decide(t, p.profile, StatusApproved)
		if got := m.reasons(t); len(got) != 2 {
			t.Errorf("%d reasons %q, want those of the rejections", len(got), got)
		}
	})
}

// TestAProductFollowsItsProfileAtOnce, in manual mode too.
func TestAProductFollowsItsProfileAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual, ProductGate: GateSubmitted, Doubts: Doubts{ProductsFollowProfile: true}})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.submit(p.path)
	product := productPath(b.product(PolicyVoiceIntegrity, p, flaw{}))
	b.sub.post(product, "StatusCallback", "").want(200)
	b.sub.submit(product)
	b.decide(t, p.profile, StatusRejected, 18602)
	if got := b.sub.status(product); got != "twilio-rejected" {
		t.Errorf("the product is %s", got)
	}
}

// TestProductsOfARejectedProfile wait for its approval or, with the switch, are rejected along.
func TestProductsOfARejectedProfile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		follow             bool
		policy, status     string
		outcome, afterward string
	}{
		{false, PolicyVoiceIntegrity, "in-review", "in-review", approvedOutcome},
		{true, PolicyVoiceIntegrity, "in-review", rejected(11005), rejected(11005)},
		{true, PolicyCNAM, "in-review", rejected(11006), rejected(11006)},
		{true, PolicyShakenStir, "in-review", "twilio-rejected []", "twilio-rejected []"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, Config{
				ReviewDelay: time.Minute, ProductGate: GateSubmitted, CallbackClient: &mailbox{}, Doubts: Doubts{ProductsFollowProfile: test.follow},
			})
			p, _ := b.customer(flaw{business: []string{"business_registration_number", "12-3450000"}})
			b.sub.submit(p.path)
			product := productPath(b.product(test.policy, p, flaw{}))
			b.sub.submit(product)
			pass(time.Minute)
			if got := b.outcome(product); got != test.outcome {
				t.Errorf("after the profile's rejection the product is %s, want %s", got, test.outcome)
			}
			b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business()).want(200)
			b.sub.submit(p.path)
			pass(time.Minute)
			if got := b.outcome(product); got != test.afterward {
				t.Errorf("after the profile's approval the product is %s, want %s", got, test.afterward)
			}
			if test.follow {
				b.sub.submit(product)
				pass(time.Minute)
				if got := b.outcome(product); got != approvedOutcome {
					t.Errorf("submitted again, the product is %s", got)
				}
			}
		})
	}
}
