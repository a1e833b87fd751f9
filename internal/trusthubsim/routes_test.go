package trusthubsim

import (
	"net/http"
	"strings"
	"testing"
)

// TestEverythingThatCanBeReadHasItsShape: every list and every object that there is a path for,
// with something in it.
func TestEverythingThatCanBeReadHasItsShape(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{ProductGate: GateSubmitted})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.evaluate(p.path)
	product := productPath(b.sub.draftProduct(PolicyShakenStir))
	b.sub.assign(product, p.profile).want(201)
	b.sub.addNumber(product, p.number).want(201)
	b.sub.evaluate(product)
	for name := range routes {
		if shape, ok := strings.CutPrefix(name, http.MethodGet+" "); ok {
			b.sub.get(b.sub.found(shape)).want(200)
		}
	}
}

// found is the path of a route with the SID of something that there is for each two letters.
func (c caller) found(shape string) string {
	c.t.Helper()
	shape, old := strings.CutSuffix(shape, ".json")
	suffix := ""
	if old {
		suffix = ".json"
	}
	path := ""
	for segment := range strings.SplitSeq(strings.TrimPrefix(shape, "/"), "/") {
		if sidKind.MatchString(segment) {
			sids := c.get(path + suffix).want(200).sids()
			if len(sids) == 0 {
				c.t.Fatalf("there is nothing in %s", path)
			}
			segment = sids[0]
		}
		path += "/" + segment
	}
	return path + suffix
}
