package trusthubsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// other is a value that a switch can have beside its default.
func (r *switchRow) other(c *Config) string {
	switch r.kind(c) {
	case "choice":
		return r.values[1]
	case "boolean":
		return "true"
	case "duration":
		return "7s"
	case "share":
		return "0.5"
	case "number":
		return "3"
	}
	switch r.name {
	case "account_sid":
		return "AC0000000000000000000000000000000f"
	case "primary_profile_sid":
		return "BU0000000000000000000000000000000f"
	}
	return "https://example.com"
}

// TestEverySwitchCanBeSetByItsName and read again; what makes no sense changes nothing.
func TestEverySwitchCanBeSetByItsName(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i := range switches {
		r := &switches[i]
		if names[r.name] || names[r.flag()] && r.flag() != r.name || r.means == "" || r.group == "" {
			t.Errorf("%s is there twice, or says nothing", r.name)
		}
		names[r.name], names[r.flag()] = true, true

		c := Config{}.withDefaults()
		before := r.get(&c)
		if len(r.values) > 0 && r.values[0] != before {
			t.Errorf("%s: the first value is %s, the default %s", r.name, r.values[0], before)
		}
		if r.kind(&c) == "boolean" && before != "false" {
			t.Errorf("%s is %s by default", r.name, before)
		}
		value := r.other(&c)
		if err := c.Set(r.name, value); err != nil || c.Get(r.name) != value {
			t.Errorf("%s: set to %s it is %s: %v", r.name, value, c.Get(r.name), err)
		}
		for other := range switches {
			if of := &switches[other]; of != r && of.get(&c) != of.get(new(Config{}.withDefaults())) {
				t.Errorf("%s changes %s", r.name, of.name)
			}
		}
		for _, bad := range r.unusableValues(&c) {
			if err := c.Set(r.name, bad); !errors.Is(err, ErrBadSettings) || !strings.Contains(err.Error(), r.name) || c.Get(r.name) != value {
				t.Errorf("%s: set to %q it is %s: %v", r.name, bad, c.Get(r.name), err)
			}
		}
	}
	var c Config
	if err := c.Set("nothing", "1"); !errors.Is(err, ErrBadSettings) || c.Get("nothing") != "" {
		t.Errorf("a switch that does not exist is set: %v", err)
	}
}

// unusableValues are some that the switch does not take.
func (r *switchRow) unusableValues(c *Config) []string {
	switch r.kind(c) {
	case "choice", "boolean":
		return []string{"maybe", ""}
	case "duration":
		bad := []string{"soon", "-1s", "5"}
		if r.above {
			bad = append(bad, "0s")
		}
		return bad
	case "share":
		return []string{"2", "-0.1", "NaN", "half"}
	case "number":
		return []string{"-1", "many", "1.5"}
	}
	if r.unusable != nil {
		return []string{"no SID, no URL and no token"}
	}
	return nil
}

// TestSettingsHaveEverySwitch that can be changed while the simulator runs, under its name.
func TestSettingsHaveEverySwitch(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	names := func(object map[string]any, prefix string) (all []string) {
		for name, value := range object {
			if inner, ok := value.(map[string]any); ok {
				for inner := range inner {
					all = append(all, prefix+name+"."+inner)
				}
				continue
			}
			all = append(all, prefix+name)
		}
		slices.Sort(all)
		return all
	}
	_, settings := b.control(t, http.MethodGet, "/_sim/settings", "")
	var want []string
	for i := range switches {
		if r := &switches[i]; !r.startOnly {
			want = append(want, r.name)
		}
	}
	slices.Sort(want)
	if got := names(settings, ""); !slices.Equal(got, want) {
		t.Errorf("the settings have\n%q, the table\n%q", got, want)
	}
}

// TestEverySwitchCanBeChangedWhileItRuns, by its name and by the path, except those of the start.
func TestEverySwitchCanBeChangedWhileItRuns(t *testing.T) {
	t.Parallel()
	for i := range switches {
		r := &switches[i]
		b := setup(t, Config{})
		c := Config{}.withDefaults()
		value := r.other(&c)
		if r.startOnly {
			if err := b.sim.Set(r.name, value); !errors.Is(err, ErrBadSettings) {
				t.Errorf("%s is changed while it runs: %v", r.name, err)
			}
			continue
		}
		if err := b.sim.Set(r.name, value); err != nil || b.inForce(t, r.name) != value {
			t.Errorf("%s: set to %s it is %s: %v", r.name, value, b.inForce(t, r.name), err)
		}
		body := fmt.Sprintf("%q: %s", r.name, r.literal(t, &c))
		if outer, inner, ok := strings.Cut(r.name, "."); ok {
			body = fmt.Sprintf("%q: {%q: %s}", outer, inner, r.literal(t, &c))
		}
		if status, answered := b.control(t, http.MethodPatch, "/_sim/settings", "{"+body+"}"); status != 200 || b.inForce(t, r.name) != r.get(&c) {
			t.Errorf("%s is answered %d: %v; the value is %s", body, status, answered, b.inForce(t, r.name))
		}
	}
}

// literal is the switch's value as JSON.
func (r *switchRow) literal(t *testing.T, c *Config) string {
	t.Helper()
	switch r.kind(c) {
	case "boolean", "number", "share":
		return r.get(c)
	case "choice":
		if v := r.value(c); v.CanInt() {
			return r.get(c)
		}
	}
	text, err := json.Marshal(r.get(c))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inForce is what /_sim/switches says about a switch.
func (b *testBundle) inForce(t *testing.T, name string) string {
	t.Helper()
	_, listed := b.control(t, http.MethodGet, "/_sim/switches", "")
	for _, item := range listed["switches"].([]any) {
		if one := item.(map[string]any); one["name"] == name {
			return one["value"].(string)
		}
	}
	t.Fatalf("%s is not listed", name)
	return ""
}

// TestTheListOfSwitches says of each what the command line and the environment call it.
func TestTheListOfSwitches(t *testing.T) {
	t.Parallel()
	for _, one := range Switches() {
		if one.Name != "callbacks.in_review" {
			continue
		}
		if one.Flag != "-callbacks-in-review" || one.Env != "TRUSTHUBSIM_CALLBACKS_IN_REVIEW" || one.Kind != "boolean" || one.Default != "false" || one.StartOnly {
			t.Errorf("listed as %+v", one)
		}
		return
	}
	t.Error("it is not listed")
}
