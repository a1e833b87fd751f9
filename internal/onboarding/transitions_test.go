package onboarding

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const stateMachineDoc = "../../docs/state-machine.md"

var update = flag.Bool("update", false, "write "+stateMachineDoc+" anew")

// TestStateMachineDocIsCurrent compares the document with what the code says. With -update it is written:
//
//	go test ./internal/onboarding -run TestStateMachineDocIsCurrent -update
func TestStateMachineDocIsCurrent(t *testing.T) {
	want := describeStateMachine()
	if *update {
		if err := os.WriteFile(stateMachineDoc, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(stateMachineDoc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not current; run: go test ./internal/onboarding -run %s -update", stateMachineDoc, t.Name())
	}
}

func TestTableOfTransitionsNamesEachWayOnce(t *testing.T) {
	seen := map[[2]State]bool{}
	for _, tr := range Transitions() {
		if way := [2]State{tr.From, tr.To}; seen[way] {
			t.Errorf("%s → %s is there twice", tr.From, tr.To)
		} else {
			seen[way] = true
		}
		if !mayGo(tr.From, tr.To) || tr.When == "" {
			t.Errorf("%s → %s cannot be gone, or says not when", tr.From, tr.To)
		}
	}
	if mayGo(StepSucceeded, StepRunning) {
		t.Error("what is done could be done again")
	}
}

// describeStateMachine renders the tables that the code goes by.
func describeStateMachine() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("<!-- Made by TestStateMachineDocIsCurrent in internal/onboarding from the code; do not edit. -->")
	line("")
	line("# The state machine")
	line("")
	line("Each step of an onboarding is in one of these states: in that of its row in the ledger, or pending if it has none. Nothing else holds any")
	line("state: a runner that takes an onboarding over knows all there is to know.")
	line("")
	line("## A step")
	line("")
	line("```mermaid")
	line("stateDiagram-v2")
	line("    [*] --> %s", StepPending)
	for _, tr := range Transitions() {
		line("    %s --> %s", tr.From, tr.To)
	}
	line("    %s --> [*]", StepSucceeded)
	line("```")
	line("")
	line("| from | to | when |")
	line("|---|---|---|")
	for _, tr := range Transitions() {
		line("| %s | %s | %s |", tr.From, tr.To, tr.When)
	}
	line("")
	line("A step that is found in `%s` by a new claim has an unknown outcome: it is looked up, never blindly repeated.", StepRunning)
	line("")
	describeStatuses(line)
	describePlan(line)
	return b.Bytes()
}

// describeStatuses shows what steps amount to which status.
func describeStatuses(line func(string, ...any)) {
	line("## An onboarding")
	line("")
	line("Its status is derived from its steps. The first row that fits counts.")
	line("")
	line("| steps | status |")
	line("|---|---|")
	const review Key = "customer_profile.review"
	done, pending := Step{Key: "preflight", State: StepSucceeded}, Step{Key: "trust_product.evaluation", State: StepPending}
	reviewing := Step{Key: review, State: StepWaiting}
	for _, row := range []struct {
		steps string
		o     Onboarding
	}{
		{"whatever they are, after it was canceled", Onboarding{CanceledAt: time.Unix(1, 0), Steps: []Step{{State: StepFailed}}}},
		{"one has failed, others may still run", Onboarding{Steps: []Step{done, {Key: "address", State: StepFailed}, {Key: "trust_product", State: StepRunning}}}},
		{"one runs, or its outcome is unknown", Onboarding{Steps: []Step{done, {Key: "trust_product", State: StepRunning}, reviewing}}},
		{"one waits to be tried again", Onboarding{Steps: []Step{done, {Key: "trust_product", State: StepWaiting}, reviewing}}},
		{"one waited for a step that has succeeded now", Onboarding{Steps: []Step{{Key: review, State: StepSucceeded}, {Key: "trust_product.evaluation", State: StepWaiting, WaitsFor: review}}}},
		{"a bundle is in review, and all that is open waits for that", Onboarding{Steps: []Step{done, reviewing, {Key: "trust_product.evaluation", State: StepWaiting, WaitsFor: review}}}},
		{"a bundle is in review, and what is open has not begun", Onboarding{Steps: []Step{done, reviewing, pending}}},
		{"some have not begun", Onboarding{Steps: []Step{done, pending}}},
		{"all have succeeded", Onboarding{Steps: []Step{done}}},
	} {
		line("| %s | `%s` |", row.steps, row.o.Status())
	}
	line("")
}

// describePlan shows the graph of an onboarding with two representatives and one number, and what kind of effect each step has.
func describePlan(line func(string, ...any)) {
	o := &Onboarding{ID: "onb_1", Request: exampleRequest(), Numbers: []PhoneNumber{{SID: "PN…", Number: "+13125550101"}}}
	o.Request.AuthorizedRepresentatives = append(o.Request.AuthorizedRepresentatives, Representative{})
	plan := examplePlan(GateAuto)
	plan.Arrange(o)
	nodes := plan(o)
	line("## The plan")
	line("")
	line("`TrustHubPlan` with two representatives and one number. A step begins when all that point to it have succeeded; those that do not need")
	line("each other run at the same time.")
	line("")
	line("```mermaid")
	line("flowchart TD")
	id := func(k Key) string { return strings.NewReplacer(".", "_", "…", "").Replace(string(k)) }
	for _, n := range nodes {
		line("    %s[\"%s\"]", id(n.Key), n.Key)
	}
	for _, n := range nodes {
		for _, need := range n.Needs {
			if !reachedThroughAnother(need, n, nodes) {
				line("    %s --> %s", id(need), id(n.Key))
			}
		}
	}
	line("    customer_profile_review -.-> trust_product_evaluation")
	line("```")
	line("")
	line("The dashed arrow depends on the gate:")
	line("")
	line("| gate | `trust_product.evaluation` needs, beside what is on the product |")
	line("|---|---|")
	for _, gate := range []Gate{GateAuto, GateSubmitted, GateApproved} {
		text := fmt.Sprintf("`%s`", gateNeed(gate, o))
		if gate == GateAuto {
			text += ", and waits for `customer_profile.review` if that is all that it finds amiss"
		}
		line("| `%s` | %s |", gate, text)
	}
	line("")
	line("| step | what it is | what is surplus of it |")
	line("|---|---|---|")
	for _, n := range nodes {
		e := n.Effect(o)
		kind, surplus := "an effect: its intent is written first, and it is looked up when the outcome is unknown", "cannot be, or does no harm"
		switch {
		case e.Find == nil && e.ReadLater, n.Key.IsReview():
			kind, surplus = "a read, now and then until it is decided", ""
		case e.Find == nil:
			kind, surplus = "a read", ""
		case e.Remove != nil:
			surplus = "is removed"
		}
		line("| `%s` | %s | %s |", n.Key, kind, surplus)
	}
}

// reachedThroughAnother tells whether the node needs that step through another that it needs too: the picture is clearer without.
func reachedThroughAnother(step Key, n Node, nodes []Node) bool {
	needs := make(map[Key][]Key, len(nodes))
	for _, other := range nodes {
		needs[other.Key] = other.Needs
	}
	var leadsTo func(k Key) bool
	leadsTo = func(k Key) bool {
		return slices.ContainsFunc(needs[k], func(need Key) bool { return need == step || leadsTo(need) })
	}
	return slices.ContainsFunc(n.Needs, func(other Key) bool { return other != step && leadsTo(other) })
}

// gateNeed is what the evaluation of the product needs that is not on the product.
func gateNeed(gate Gate, o *Onboarding) Key {
	for _, n := range examplePlan(gate)(o) {
		if n.Key == "trust_product.evaluation" {
			return n.Needs[len(n.Needs)-1]
		}
	}
	return ""
}
