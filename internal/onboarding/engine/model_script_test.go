package engine_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/attestd/attestd/internal/onboarding"
)

// This file draws what the model plays: a plan, and the fate of each call.

// ending is what becomes of one call.
type ending string

const (
	fine       ending = "fine"
	lostAfter  ending = "done, and the answer lost"
	lostBefore ending = "not done, and no answer"
	notNow     ending = "refused for now"
	tooMany    ending = "one too many"
	held       ending = "not even tried"
	refused    ending = "refused for good"
	wanting    ending = "found wanting"
	there      ending = "refused because it was done before"
	reviewing  ending = "still in review"
	panics     ending = "the client panics"
)

// task is a node of a drawn plan with the script of its calls. When a script is at its end, all
// goes well.
type task struct {
	key     onboarding.Key
	kind    onboarding.Kind
	needs   []onboarding.Key
	does    []ending
	lookups []ending
	// doubles: a call whose answer is lost is done twice.
	doubles bool
	// latency is of each call. It differs from that of every other task, so that no two answers
	// come at once.
	latency time.Duration
	// blind lookups find nothing: the fault that the model must find.
	blind bool
}

func drawModel(rt *rapid.T) *model {
	script := rapid.SliceOfN(rapid.SampledFrom([]ending{
		fine, lostAfter, lostBefore, notNow, tooMany, held, refused, wanting, there, reviewing, panics,
	}), 0, 4)
	var tasks []task
	for i := range rapid.IntRange(1, 7).Draw(rt, "tasks") {
		k := task{key: onboarding.Key(fmt.Sprintf("task_%d", i)), kind: onboarding.KindObject}
		for _, before := range tasks {
			if rapid.Bool().Draw(rt, fmt.Sprintf("%s needs %s", k.key, before.key)) {
				k.needs = append(k.needs, before.key)
			}
		}
		switch rapid.IntRange(0, 5).Draw(rt, "kind") {
		case 0:
			k.kind = onboarding.KindRead
		case 1:
			k.kind = onboarding.KindReview
		case 2:
			k.doubles = true
		}
		k.does, k.lookups = script.Draw(rt, "does"), script.Draw(rt, "lookups")
		k.latency = time.Duration(rapid.IntRange(1, 3000).Draw(rt, "latency"))*time.Millisecond + time.Duration(i)*time.Microsecond
		tasks = append(tasks, k)
	}
	m := newModel(tasks...)
	m.concurrency = rapid.IntRange(1, 4).Draw(rt, "concurrency")
	m.deaths = rapid.SliceOfN(rapid.IntRange(1, 12), 0, 4).Draw(rt, "deaths")
	return m
}

func next(script *[]ending) ending {
	if len(*script) == 0 {
		return fine
	}
	end := (*script)[0]
	*script = (*script)[1:]
	return end
}

func failure(end ending) error {
	switch end {
	case lostAfter, lostBefore:
		return &onboarding.RemoteError{Class: onboarding.ClassUnknown}
	case notNow:
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503}
	case tooMany:
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 429, RetryAfter: 3 * time.Second}
	case held:
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, NotSent: true, RetryAfter: 2 * time.Second}
	case refused:
		return &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 400, Code: 20001}
	case there:
		return &onboarding.RemoteError{Class: onboarding.ClassExists, HTTPStatus: 409, Code: 20409}
	case panics:
		panic("the client has a bug")
	default:
		return nil
	}
}
