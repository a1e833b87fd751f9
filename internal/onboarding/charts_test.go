package onboarding_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

const stateMachineDoc = "../../docs/state-machine.md"

var update = flag.Bool("update", false, "write "+stateMachineDoc+" anew")

// TestStateMachineDocIsCurrent compares the document with what the code says. With -update it is
// written:
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

var allStates = []onboarding.State{
	onboarding.StepPending, onboarding.StepRunning, onboarding.StepWaiting, onboarding.StepSucceeded, onboarding.StepFailed, onboarding.StepCanceled,
}

// A step goes the ways of its kind's chart, and no other: what the document shows is what Enter
// says.
func TestAStepGoesTheWaysOfItsChart(t *testing.T) {
	t.Parallel()
	for kind, chart := range map[onboarding.Kind][]onboarding.Transition{
		onboarding.KindReview: onboarding.ReadChart(), onboarding.KindObject: onboarding.DeedChart(), "": onboarding.DeedChart(),
	} {
		for _, from := range allStates {
			for _, to := range allStates {
				want := from == to || slices.ContainsFunc(chart, func(tr onboarding.Transition) bool { return tr.To == to && slices.Contains(tr.From, from) })
				step := onboarding.Step{Role: onboarding.Role{Kind: kind}, State: from}
				if got := step.Enter(to, time.Unix(1, 0)); got != want {
					t.Errorf("%q: %s → %s is charted: %v, want %v", kind, from, to, got, want)
				}
				if step.State != to {
					t.Errorf("%q: a step that enters %s is %s", kind, to, step.State)
				}
			}
		}
	}
}

func TestChartsKeepTheInvariants(t *testing.T) {
	t.Parallel()
	for name, chart := range map[string][]onboarding.Transition{"reads": onboarding.ReadChart(), "deeds": onboarding.DeedChart()} {
		seen := map[[2]onboarding.State]bool{}
		for _, tr := range chart {
			for _, from := range tr.From {
				if way := [2]onboarding.State{from, tr.To}; seen[way] || from == tr.To {
					t.Errorf("%s: %s → %s is there twice, or no way at all", name, from, tr.To)
				} else {
					seen[way] = true
				}
			}
			if name == "reads" && tr.To == onboarding.StepRunning {
				t.Error("a read writes an intent")
			}
		}
		if seen[[2]onboarding.State{onboarding.StepCanceled, onboarding.StepRunning}] || seen[[2]onboarding.State{onboarding.StepFailed, onboarding.StepRunning}] {
			t.Errorf("%s: what is over, or asks a person, runs by itself", name)
		}
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
	line("Each step of an onboarding is in one state: in that of its row in the ledger, or pending if it has")
	line("none. Nothing else holds any state: a runner that takes an onboarding knows all there is to know.")
	line("")
	line("A step either reads or does something. There is a chart for each. A step may also stay in its state")
	line("and be written anew: that is no transition.")
	line("")
	describeChart(line, "A step that reads", onboarding.ReadChart())
	describeChart(line, "A step that does something", onboarding.DeedChart())
	line("A step that is found in `%s` by a new claim has an unknown outcome: it is looked up, never blindly", onboarding.StepRunning)
	line("repeated.")
	line("")
	describeStatuses(line)
	describePlan(line)
	return b.Bytes()
}

func describeChart(line func(string, ...any), title string, chart []onboarding.Transition) {
	line("## %s", title)
	line("")
	line("```mermaid")
	line("stateDiagram-v2")
	line("    [*] --> %s", onboarding.StepPending)
	for _, tr := range chart {
		for _, from := range tr.From {
			line("    %s --> %s: %s", from, tr.To, tr.Verb)
		}
	}
	line("```")
	line("")
	line("| from | what happens | to | when |")
	line("|---|---|---|---|")
	for _, tr := range chart {
		from := make([]string, len(tr.From))
		for i, s := range tr.From {
			from[i] = string(s)
		}
		line("| %s | %s | %s | %s |", strings.Join(from, ", "), tr.Verb, tr.To, tr.When)
	}
	line("")
}

// describeStatuses shows what steps amount to which status.
func describeStatuses(line func(string, ...any)) {
	line("## An onboarding")
	line("")
	line("Its status is derived from its steps. The first row that fits counts.")
	line("")
	line("| steps | status |")
	line("|---|---|")
	const review onboarding.Key = "customer_profile.review"
	done, pending := onboarding.Step{Key: "preflight", State: onboarding.StepSucceeded}, onboarding.Step{Key: "trust_product.evaluation", State: onboarding.StepPending}
	isReview := onboarding.Role{Kind: onboarding.KindReview}
	reviewing := onboarding.Step{Key: review, Role: isReview, State: onboarding.StepWaiting}
	for _, row := range []struct {
		steps string
		o     onboarding.Onboarding
	}{
		{"whatever they are, after it was canceled", onboarding.Onboarding{CanceledAt: time.Unix(1, 0), Steps: []onboarding.Step{{State: onboarding.StepFailed}}}},
		{"one has failed, others may still run", onboarding.Onboarding{Steps: []onboarding.Step{done, {Key: "address", State: onboarding.StepFailed}, {Key: "trust_product", State: onboarding.StepRunning}}}},
		{"one runs, or its outcome is unknown", onboarding.Onboarding{Steps: []onboarding.Step{done, {Key: "trust_product", State: onboarding.StepRunning}, reviewing}}},
		{"one waits to be tried again", onboarding.Onboarding{Steps: []onboarding.Step{done, {Key: "trust_product", State: onboarding.StepWaiting}, reviewing}}},
		{"one waited for a step that has succeeded now", onboarding.Onboarding{Steps: []onboarding.Step{{Key: review, State: onboarding.StepSucceeded}, {Key: "trust_product.evaluation", State: onboarding.StepWaiting, WaitsFor: review}}}},
		{"a bundle is in review, and all that is open waits for that", onboarding.Onboarding{Steps: []onboarding.Step{done, reviewing, {Key: "trust_product.evaluation", State: onboarding.StepWaiting, WaitsFor: review}}}},
		{"a bundle is in review, and what is open has not begun", onboarding.Onboarding{Steps: []onboarding.Step{done, reviewing, pending}}},
		{"some have not begun", onboarding.Onboarding{Steps: []onboarding.Step{done, pending}}},
		{"all have succeeded", onboarding.Onboarding{Steps: []onboarding.Step{done}}},
	} {
		line("| %s | `%s` |", row.steps, row.o.Status())
	}
	line("")
}

// describePlan shows the graph of an onboarding with two representatives and one number, and what
// kind of step each is.
func describePlan(line func(string, ...any)) {
	o := planExample()
	trustHub := plan.TrustHub(plan.Config{Now: time.Now})
	nodes, _ := trustHub.Arrange(o)
	line("## The plan")
	line("")
	line("`plan.TrustHub` with two representatives and one number. A step begins when all that point to it")
	line("have succeeded; those that do not need each other run at the same time.")
	line("")
	line("```mermaid")
	line("flowchart TD")
	id := func(k onboarding.Key) string { return strings.NewReplacer(".", "_", "…", "").Replace(string(k)) }
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
	for _, gate := range []plan.Gate{plan.GateAuto, plan.GateSubmitted, plan.GateApproved} {
		text := fmt.Sprintf("`%s`", gateNeed(gate, o))
		if gate == plan.GateAuto {
			text += ", and waits for `customer_profile.review` if that is all that it finds amiss"
		}
		line("| `%s` | %s |", gate, text)
	}
	line("")
	line("| step | kind | bundle | part of the request | what is surplus of it |")
	line("|---|---|---|---|---|")
	for _, n := range nodes {
		surplus := ""
		switch {
		case n.Kind.IsUnique() && n.Effect(o).Remove != nil:
			surplus = "is removed"
		case !n.Kind.IsRead():
			surplus = "cannot be, or does no harm"
		}
		line("| `%s` | %s | %s | %s | %s |", n.Key, n.Kind, n.Bundle, n.Pointer, surplus)
	}
}

func planExample() *onboarding.Onboarding {
	return &onboarding.Onboarding{
		ID:      "onb_1",
		Request: onboarding.Request{AuthorizedRepresentatives: make([]onboarding.Representative, 2), PhoneNumbers: []string{"+13125550101"}},
		Numbers: []onboarding.PhoneNumber{{SID: "PN…", Number: "+13125550101"}},
	}
}

// reachedThroughAnother tells whether the node needs that step through another that it needs too:
// the picture is clearer without.
func reachedThroughAnother(step onboarding.Key, n onboarding.Node, nodes []onboarding.Node) bool {
	needs := make(map[onboarding.Key][]onboarding.Key, len(nodes))
	for _, other := range nodes {
		needs[other.Key] = other.Needs
	}
	var leadsTo func(k onboarding.Key) bool
	leadsTo = func(k onboarding.Key) bool {
		return slices.ContainsFunc(needs[k], func(need onboarding.Key) bool { return need == step || leadsTo(need) })
	}
	return slices.ContainsFunc(n.Needs, func(other onboarding.Key) bool { return other != step && leadsTo(other) })
}

// gateNeed is what the evaluation of the product needs that is not on the product.
func gateNeed(gate plan.Gate, o *onboarding.Onboarding) onboarding.Key {
	for _, n := range plan.TrustHub(plan.Config{Gate: gate, Now: time.Now}).Nodes(o) {
		if n.Key == onboarding.ShakenStirKey.Evaluation() {
			return n.Needs[len(n.Needs)-1]
		}
	}
	return ""
}
