package trusthubsim

import (
	_ "embed"
	"strings"
	"text/template"
)

//go:generate go test -run ^TestTheManualIsCurrent$ -update .

//go:embed manual.md.tmpl
var manualTemplate string

// choices are what the simulator decides where neither a document nor a report says anything, as a
// list in Markdown.
const choices = `* A suspended or closed account is answered 401 with code 20005, whoever's credentials came, except that the parent may read what
  the account holds, and read and update the account itself.
* A missing or unknown parameter is 400 with code 20001, a malformed one 400 with 20422. Twilio ignores unknown parameters in places;
  here each is refused. ` + "`FriendlyName`" + ` is held to 64 characters everywhere (20002).
* An edit that a bundle's status forbids is 409 with code 20409, the same status and code as a duplicate assignment, which is told
  from it by its text only: "… is already assigned to BU…".
* A bundle holds at most one object of each type; a second one is 409 with code 20409.
* Lists are newest first. Only ` + "`PageToken`" + ` moves through them; ` + "`Page`" + ` is the client's own count, as documented.
* Attributes sent in an update replace those that were there.
* Submitting what is in review or approved is 409 with code 20409.
* A review of a product ends only after its customer profile is approved.
* A number that is released or moved to another account loses its assignments; a closed account's are released.
* The parent may put its subaccounts' numbers on its own bundles.
* A rejected product gives its numbers up even where it cannot be reopened. A number leaves its customer profile only after it left the
  products.
* Addresses in the USA are written in capitals, as postal services do, unless ` + "`AutoCorrectAddress`" + ` is false.
* A request that has arrived is worked on, however long it waits before and whether or not its client is still there.`

// Manual is docs/simulator.md: every switch, all magic data and the simulator's own paths.
func Manual() string {
	type table[T any] struct {
		Name string
		Rows []T
	}
	type row struct{ Name, Values, Means, Known string }
	page := struct {
		Groups            []table[row]
		Moments           []table[Magic]
		Paths             []ControlPath
		UseCases, Choices string
	}{Paths: ControlPaths(), UseCases: strings.Join(useCases, " · "), Choices: choices}

	defaults := Config{}.withDefaults()
	for i := range switches {
		r := &switches[i]
		if n := len(page.Groups); n == 0 || page.Groups[n-1].Name != r.group {
			page.Groups = append(page.Groups, table[row]{Name: r.group})
		}
		last := &page.Groups[len(page.Groups)-1]
		last.Rows = append(last.Rows, row{r.name, r.describeValues(&defaults), r.means, r.known})
	}
	for _, m := range MagicData() {
		if n := len(page.Moments); n == 0 || page.Moments[n-1].Name != m.When {
			page.Moments = append(page.Moments, table[Magic]{Name: m.When})
		}
		last := &page.Moments[len(page.Moments)-1]
		last.Rows = append(last.Rows, m)
	}
	for i := range page.Moments {
		name := page.Moments[i].Name
		page.Moments[i].Name = strings.ToUpper(name[:1]) + name[1:]
	}
	var text strings.Builder
	if err := template.Must(template.New("manual").Parse(manualTemplate)).Execute(&text, page); err != nil {
		panic(err) // the template and this function contradict each other
	}
	return text.String()
}

// describeValues says what a switch can be and what it is if nothing is said.
func (r *switchRow) describeValues(defaults *Config) string {
	if len(r.values) > 0 {
		return "`" + strings.Join(r.values, "`, `") + "`"
	}
	text := r.kind(defaults)
	switch value := r.get(defaults); value {
	case "", "false", "0", "0s":
	default:
		text += ", `" + value + "`"
	}
	if r.program != "" {
		text += ", `" + r.program + "` as a program"
	}
	return text
}
