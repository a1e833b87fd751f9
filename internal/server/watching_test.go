package server_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
)

// watcher is a client that waits for changes of onboardings.
type watcher struct{ *client }

// await waits until the onboarding has the status.
func (w *watcher) await(id, status string) answer {
	w.t.Helper()
	return w.awaitThat(id, "status "+status, func(a answer) bool { return a.Status == status })
}

func (w *watcher) awaitThat(id, what string, holds func(answer) bool) answer {
	w.t.Helper()
	var a answer
	eventually(w.t, what, func() bool { a = w.get(id); return holds(a) }, func() string {
		text, _ := json.MarshalIndent(a, "", " ")
		return string(text)
	})
	w.wantListed(a)
	return a
}

// awaitRequirement waits until this is the one requirement.
func (w *watcher) awaitRequirement(id, code, pointer string) answer {
	w.t.Helper()
	return w.awaitThat(id, "the requirement "+code, func(a answer) bool {
		return a.Status == "action_required" && len(a.Requirements) == 1 && a.Requirements[0].Code == code && a.Requirements[0].Pointer == pointer
	})
}

// quiet waits until all steps of a canceled onboarding are settled.
func (w *watcher) quiet(id string) answer {
	w.t.Helper()
	return w.awaitThat(id, "every step to be over", func(a answer) bool {
		return a.Status == "canceled" && !slices.ContainsFunc(a.Steps, func(s step) bool { return s.Status != "canceled" && s.Status != "succeeded" })
	})
}

// cleanedUp waits until everything of an onboarding that was canceled with cleanup is deleted, as
// far as Twilio allows.
func (w *watcher) cleanedUp(id string) answer {
	w.t.Helper()
	return w.awaitThat(id, "every step to be taken back", func(a answer) bool {
		return !slices.ContainsFunc(a.Steps, func(s step) bool { return s.Status != "canceled" })
	})
}

// wantListed checks that the list, which reads columns, agrees with the onboarding, which is
// derived from steps. It does not if the onboarding has changed since.
func (w *watcher) wantListed(a answer) {
	w.t.Helper()
	if a.SubaccountSID == "" {
		return
	}
	var page struct{ Onboardings []answer }
	if status, raw := w.call(http.MethodGet, "/onboardings?limit=100&subaccount_sid="+a.SubaccountSID, nil, &page); status != http.StatusOK {
		w.t.Errorf("the list answered %d: %s", status, raw)
	}
	if !reflect.DeepEqual(w.get(a.ID), a) {
		return
	}
	for _, listed := range page.Onboardings {
		if listed.ID != a.ID {
			continue
		}
		if listed.Status != a.Status || (listed.Attestation == nil) != (a.Attestation == nil) || listed.Version != a.Version {
			w.t.Errorf("the list has the onboarding as %s at version %d with attestation %v; it is %s at %d with %v",
				listed.Status, listed.Version, listed.Attestation, a.Status, a.Version, a.Attestation)
		}
		if len(listed.Requirements) != len(a.Requirements) || listed.CustomerProfile != a.CustomerProfile || listed.TrustProduct != a.TrustProduct {
			w.t.Errorf("the list has the bundles %v and %v with %d requirements; they are %v and %v with %d", listed.CustomerProfile,
				listed.TrustProduct, len(listed.Requirements), a.CustomerProfile, a.TrustProduct, len(a.Requirements))
		}
	}
}
