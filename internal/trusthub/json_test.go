package trusthub

import (
	"testing"
	"time"
)

func TestADateInAnyFormCostsNoSID(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 7, 30, 20, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		`"2015-07-30T20:00:00Z"`:            at,
		`"2015-07-30T20:00:00"`:             at,
		`"2015-07-30T22:00:00+02:00"`:       at,
		`"Thu, 30 Jul 2015 20:00:00 +0000"`: at,
		`"Thu, 30 Jul 2015 20:00:00 GMT"`:   at,
		`null`:                              {},
		`"yesterday"`:                       {},
		`1438286400`:                        {},
	} {
		body := `{"date_created": ` + value + `, "sid": "` + endUserSID + `"}`
		c := connect(t, answering(always(201, body)), "")
		o, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
		if err != nil || o.SID != endUserSID || !o.CreatedAt.Equal(want) {
			t.Errorf("date_created %s: %+v, %v; want %v", value, o, err, want)
		}
	}
}
