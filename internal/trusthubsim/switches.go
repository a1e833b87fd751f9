package trusthubsim

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Switch is one thing that can be set about a simulator. Flags, variables of the environment, what
// /_sim/switches lists and docs/simulator.md are all made of the table of these.
type Switch struct {
	// Name is that in Settings, with a dot where it stands in an inner object.
	Name string `json:"name"`
	// Flag and Env are how cmd/trusthubsim is told of it.
	Flag string `json:"flag"`
	Env  string `json:"env"`
	// Kind is text, choice, boolean, number, share or duration.
	Kind string `json:"kind"`
	// Values are those of a choice; the first is the default.
	Values []string `json:"values,omitempty"`
	// Default is the value that a Config has if nothing is said.
	Default string `json:"default"`
	// Value is the one in force.
	Value string `json:"value"`
	// Means says what it does.
	Means string `json:"means"`
	// Known says how sure it is what Twilio does, "" where that is no question.
	Known string `json:"known,omitempty"`
	// StartOnly is true where it cannot be changed while the simulator runs.
	StartOnly bool `json:"start_only"`
}

// switchRow is a row of the table of switches.
type switchRow struct {
	name, group  string
	field        func(*Config) any // a pointer to it
	values       []string          // of a choice
	means, known string
	startOnly    bool
	program      string                    // the default of cmd/trusthubsim, where it is another
	share        bool                      // a number from 0 to 1
	above        bool                      // 0 makes no sense
	unusable     func(string) (why string) // "" for a usable text
}

func (r *switchRow) flag() string { return strings.NewReplacer("_", "-", ".", "-").Replace(r.name) }

func (r *switchRow) env() string {
	return "TRUSTHUBSIM_" + strings.ToUpper(strings.ReplaceAll(r.flag(), "-", "_"))
}

// value is the field that the row is about.
func (r *switchRow) value(c *Config) reflect.Value { return reflect.ValueOf(r.field(c)).Elem() }

func (r *switchRow) isDuration(v reflect.Value) bool {
	return v.Type() == reflect.TypeFor[time.Duration]() || v.Type() == reflect.TypeFor[Duration]()
}

func (r *switchRow) kind(c *Config) string {
	switch v := r.value(c); {
	case len(r.values) > 0:
		return "choice"
	case r.isDuration(v):
		return "duration"
	case r.share:
		return "share"
	case v.Kind() == reflect.Bool:
		return "boolean"
	case v.Kind() == reflect.String:
		return "text"
	}
	return "number"
}

// get is the switch's value as text.
func (r *switchRow) get(c *Config) string {
	v := r.value(c)
	if r.isDuration(v) {
		return time.Duration(v.Int()).String()
	}
	return fmt.Sprint(v.Interface())
}

// set reads text into the switch.
func (r *switchRow) set(c *Config, text string) (err error) {
	v := r.value(c)
	bad := func(want string) error {
		return fmt.Errorf("%w: %s is %s, not %q", ErrBadSettings, r.name, want, text)
	}
	switch {
	case r.isDuration(v):
		d, err := time.ParseDuration(text)
		if err != nil {
			return bad("a duration such as 10s")
		}
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return bad("true or false")
		}
		v.SetBool(b)
	case v.Kind() == reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return bad("a number")
		}
		v.SetFloat(f)
	case v.Kind() == reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return bad("a whole number")
		}
		v.SetUint(n)
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			return bad("a whole number")
		}
		v.SetInt(int64(n))
	}
	if fault := r.fault(c); fault != "" {
		return fmt.Errorf("%w: %s", ErrBadSettings, fault)
	}
	return nil
}

// fault says what is wrong with the switch's value, or "".
func (r *switchRow) fault(c *Config) string {
	text, v := r.get(c), r.value(c)
	switch r.kind(c) {
	case "choice":
		if !slices.Contains(r.values, text) {
			return fmt.Sprintf("%s is %s, not %q", r.name, strings.Join(r.values, " or "), text)
		}
	case "share":
		if !(v.Float() >= 0 && v.Float() <= 1) { // Not a number is none either.
			return r.name + " is not between 0 and 1"
		}
	case "duration", "number":
		switch {
		case v.Kind() == reflect.Uint64:
		case v.Int() < 0:
			return r.name + " is negative"
		case v.Int() == 0 && r.above:
			return r.name + " is more than 0, not " + text
		}
	case "text":
		if r.unusable != nil {
			if why := r.unusable(text); why != "" {
				return r.name + " " + why
			}
		}
	}
	return ""
}

// Switches are all switches, with their defaults as values.
func Switches() []Switch { return switchesOf(Config{}.withDefaults()) }

// Switches are all switches, with the values that are in force.
func (s *Simulator) Switches() []Switch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return switchesOf(s.cfg)
}

func switchesOf(c Config) []Switch {
	defaults := Config{}.withDefaults()
	all := make([]Switch, len(switches))
	for i := range switches {
		r := &switches[i]
		all[i] = Switch{
			Name: r.name, Flag: "-" + r.flag(), Env: r.env(), Kind: r.kind(&c), Values: r.values,
			Default: r.get(&defaults), Value: r.get(&c), Means: r.means, Known: r.known, StartOnly: r.startOnly,
		}
	}
	return all
}

// switchNamed is the row of that name, or nil.
func switchNamed(name string) *switchRow {
	for i := range switches {
		if switches[i].name == name {
			return &switches[i]
		}
	}
	return nil
}

// Get is the value of one switch, as text; "" for a name that no switch has.
func (c *Config) Get(name string) string {
	if r := switchNamed(name); r != nil {
		return r.get(c)
	}
	return ""
}

// Set sets one switch by its name, from text as a flag has it. It returns ErrBadSettings, wrapped,
// for a name or a value that makes no sense.
func (c *Config) Set(name, value string) error {
	r := switchNamed(name)
	if r == nil {
		return fmt.Errorf("%w: there is no switch %q", ErrBadSettings, name)
	}
	changed := *c
	if err := r.set(&changed, value); err != nil {
		return err
	}
	*c = changed
	return nil
}

// Set sets one switch from now on, by its name. It returns ErrBadSettings, wrapped, for a name or a
// value that makes no sense, and for a switch that can be set at the start only.
func (s *Simulator) Set(name, value string) error {
	if r := switchNamed(name); r != nil && r.startOnly {
		return fmt.Errorf("%w: %s can be set at the start only", ErrBadSettings, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.cfg
	if err := changed.Set(name, value); err != nil {
		return err
	}
	s.cfg.take(changed.settings())
	return nil
}

// ProgramDefaults are the switches as cmd/trusthubsim has them if nothing is said.
func ProgramDefaults() Config {
	c := Config{}.withDefaults()
	for i := range switches {
		if r := &switches[i]; r.program != "" {
			if err := r.set(&c, r.program); err != nil {
				panic(err) // the table contradicts itself
			}
		}
	}
	return c
}
