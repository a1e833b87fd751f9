package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/attestd/attestd/internal/pgdev"
	"github.com/attestd/attestd/internal/store"
	"github.com/attestd/attestd/internal/trusthubsim"
)

var (
	chaosFor  = flag.Duration("chaos.for", 10*time.Second, "how long TestChaos makes trouble; it has 200 onboardings for each minute")
	chaosSeed = flag.Uint64("chaos.seed", 0, "what TestChaos draws its trouble and its times from; 0 draws a seed and prints it")
)

const (
	chaosPerMinute = 200
	// chaosListLag is the age from which an object is on the lists of Twilio. chaosSlow is how long
	// a slow call waits there before its work. Both are well below LOOKUP_SETTLE, which has its
	// default. A slower Twilio would be another one than is configured.
	chaosListLag = 300 * time.Millisecond
	chaosSlow    = 1500 * time.Millisecond
)

// Three replicas are killed and paused every 0.2 to 2 s, and Postgres is restarted. A tenth of the
// answers of Twilio is lost, half of them after the work. When the trouble ends, everything is
// approved, and Twilio holds one of everything, made in the right order.
//
// It is not parallel, because it measures times.
func TestChaos(t *testing.T) {
	c := newChaos(t)
	began := time.Now()
	c.makeTrouble(t.Context())
	c.endTrouble()
	took := c.awaitAll(began)
	c.report(took)
	c.check()
}

// chaos is a world with three replicas and a Postgres of its own.
type chaos struct {
	*world
	seed     uint64
	postgres *pgdev.Postgres
	db       *pgxpool.Pool
	fleet    *fleet
	requests *requestJournal
	orders   []*order
}

// order is an onboarding to be made.
type order struct {
	customer        subaccount
	externalID      string
	representatives int
	body            map[string]any
	// id is that of the onboarding, once it is known. failure is why it could not be posted.
	id      string
	failure error
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d -chaos.for=%v", seed, *chaosFor)
	postgres, err := pgdev.Start(t.Context(), pgdev.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Migrate(t.Context(), postgres.URL("")); err != nil {
		t.Fatal(err)
	}
	db, err := pgxpool.New(t.Context(), postgres.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)

	c := &chaos{seed: seed, postgres: postgres, db: db}
	c.world = newWorldOn(t, trusthubsim.Config{
		Seed:        seed,
		Latency:     30 * time.Millisecond,
		ListLag:     chaosListLag,
		ReviewDelay: 500 * time.Millisecond,
		Callbacks: trusthubsim.Callbacks{
			Lost: 0.1, Duplicated: 0.1, Unsigned: 0.05, Spread: trusthubsim.Duration(300 * time.Millisecond),
		},
	}, postgres.URL(""))
	c.environ["DATABASE_URL"] = c.databaseURL // with as many connections as a server has by itself
	delete(c.environ, "LOOKUP_SETTLE")
	c.environ["REVIEW_POLL_MIN"] = "1s" // Many callbacks reach nobody.
	c.environ["REVIEW_POLL_MAX"] = "4s"
	c.orders = make([]*order, max(20, int(chaosFor.Minutes()*chaosPerMinute)))
	var wg sync.WaitGroup
	for first := range 16 {
		wg.Go(func() {
			for i := first; i < len(c.orders); i += 16 {
				c.orders[i] = c.newOrder(i)
			}
		})
	}
	wg.Wait()
	c.mustAllBeWell()
	c.requests = newRequestJournal(c.sim)
	c.fleet = newFleet(c)
	return c
}

// random returns a separate stream for each purpose. The numbers for one purpose do not depend on
// how many another has drawn.
func (c *chaos) random(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, purpose)) }

const (
	forOrders uint64 = iota
	forStorm
	forCallbacks
	forPosts // and all above: one for each order
)

// newOrder makes the i-th customer, with one or two representatives, one to three numbers, and an
// address that exists or a new one.
func (c *chaos) newOrder(i int) *order {
	random := rand.New(rand.NewPCG(c.seed+uint64(i), forOrders))
	o := &order{externalID: fmt.Sprintf("chaos-%d", i), representatives: 1 + random.IntN(2)}
	if o.customer, o.failure = c.newSubaccount(1 + random.IntN(3)); o.failure != nil {
		return o
	}
	changes := map[string]any{"external_id": o.externalID}
	if o.representatives == 2 {
		changes["authorized_representatives"] = []any{representative("first"), representative("second")}
	}
	if random.IntN(2) == 0 {
		var sid string
		sid, o.failure = c.newAddress(o.customer.sid)
		changes["address"] = map[string]any{"sid": sid}
	}
	o.body = o.customer.request(changes)
	return o
}

// mustAllBeWell ends the test if an order has failed.
func (c *chaos) mustAllBeWell() {
	c.t.Helper()
	for _, o := range c.orders {
		if o.failure != nil {
			c.t.Errorf("%s: %v", o.externalID, o.failure)
		}
	}
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// makeTrouble posts all orders while everything else goes wrong.
func (c *chaos) makeTrouble(ctx context.Context) {
	for _, f := range []trusthubsim.Fault{
		// Together these lose a tenth of the answers. The second applies to what the first leaves.
		{Effect: trusthubsim.EffectDropAfter, Probability: 0.05},
		{Effect: trusthubsim.EffectDropBefore, Probability: 0.05 / 0.95},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusTooManyRequests, Headers: map[string]string{"Retry-After": "1"}, Probability: 0.02},
		{Effect: trusthubsim.EffectStatusAfter, Status: http.StatusServiceUnavailable, Probability: 0.01},
		{Effect: trusthubsim.EffectHTML, Probability: 0.005},
		{Effect: trusthubsim.EffectTruncateAfter, Probability: 0.005},
		{Effect: trusthubsim.EffectDelay, Delay: trusthubsim.Duration(chaosSlow), Probability: 0.01},
	} {
		if _, err := c.sim.AddFault(f); err != nil {
			c.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, *chaosFor)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { c.postAll(ctx) })
	wg.Go(func() { c.fleet.storm(ctx, c.random(forStorm)) })
	wg.Go(func() { c.restartPostgres(ctx) })
	wg.Go(func() { c.requests.keep(ctx) })
	wg.Wait()
}

// restartPostgres stops and starts Postgres after a third of the time, and crashes it after two
// thirds.
func (c *chaos) restartPostgres(ctx context.Context) {
	for _, mode := range []pgdev.StopMode{pgdev.Fast, pgdev.Immediate} {
		if !wait(ctx, *chaosFor/3) {
			return
		}
		over := c.fleet.disturb("Postgres restarts: "+string(mode), nobody)
		if err := c.postgres.Restart(context.WithoutCancel(ctx), mode); err != nil {
			c.t.Error(err)
		}
		over()
	}
}

// postAll posts the orders evenly over four fifths of the time, and returns when all are posted.
func (c *chaos) postAll(ctx context.Context) {
	var posts sync.WaitGroup
	defer posts.Wait()
	distance := *chaosFor * 4 / 5 / time.Duration(len(c.orders))
	for i, o := range c.orders {
		posts.Go(func() { c.post(o, c.random(forPosts+uint64(i))) })
		wait(ctx, distance)
	}
}

// post posts an order to any replica until it was accepted for certain. If an answer is lost, it
// looks the onboarding up first.
func (c *chaos) post(o *order, random *rand.Rand) {
	client := &http.Client{Timeout: 2 * time.Second}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); wait(c.t.Context(), 50*time.Millisecond) {
		status, raw := c.callAt(client, c.fleet.anyURL(random), http.MethodPost, "/onboardings", o.body)
		switch {
		case status == http.StatusAccepted:
			var accepted answer
			if err := json.Unmarshal([]byte(raw), &accepted); err != nil {
				o.failure = fmt.Errorf("POST answered what is no JSON: %s", raw)
			}
			o.id = accepted.ID
			return
		case status != 0 && status != http.StatusConflict && status < 500:
			o.failure = fmt.Errorf("POST answered %d: %s", status, raw)
			return
		}
		if o.id = c.lookUp(client, o.externalID, random); o.id != "" {
			return
		}
	}
	o.failure = errors.New("could not be posted")
}

// lookUp asks for the onboarding with an external ID until somebody answers; "" if there is none.
func (c *chaos) lookUp(client *http.Client, externalID string, random *rand.Rand) string {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); wait(c.t.Context(), 50*time.Millisecond) {
		status, raw := c.callAt(client, c.fleet.anyURL(random), http.MethodGet, "/onboardings?external_id="+externalID, nil)
		if status != http.StatusOK {
			continue
		}
		var page struct{ Onboardings []answer }
		if json.Unmarshal([]byte(raw), &page) == nil && len(page.Onboardings) == 1 {
			return page.Onboardings[0].ID
		}
		return ""
	}
	return ""
}

func (c *chaos) endTrouble() {
	c.sim.ClearFaults()
	c.sim.SetCallbacks(trusthubsim.Callbacks{})
	c.mustAllBeWell()
	c.fleet.awaitAll()
	c.url = c.fleet.replicas[0].url
}

// awaitAll waits until all onboardings are approved, and returns how long it took since then.
func (c *chaos) awaitAll(since time.Time) time.Duration {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		var approved, failed, all int
		err := c.db.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE status = 'approved'), count(*) FILTER (WHERE status = 'action_required'), count(*) FROM onboardings`,
		).Scan(&approved, &failed, &all)
		if all > len(c.orders) {
			c.t.Fatalf("%d onboardings of %d orders", all, len(c.orders))
		}
		if err == nil && approved == len(c.orders) {
			return time.Since(since)
		}
		if hopeless := err == nil && failed > 0 && approved+failed == all; hopeless || !wait(ctx, 50*time.Millisecond) {
			c.explainStuck()
			c.t.Fatalf("%d of %d onboardings are approved, %d wait for a person for no reason (%v)", approved, len(c.orders), failed, err)
		}
	}
}

// explainStuck logs all that is known of some onboardings that are not approved.
func (c *chaos) explainStuck() {
	rows, _ := c.db.Query(c.t.Context(), `SELECT id FROM onboardings WHERE status <> 'approved' ORDER BY id LIMIT 3`)
	stuck, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		c.t.Error(err)
	}
	for _, id := range stuck {
		c.t.Log(c.story(id))
	}
}

// story is all that is known of an onboarding: its events, its jobs, and the log lines of the
// replicas about it.
func (c *chaos) story(id string) string {
	text := id
	rows, err := c.db.Query(c.t.Context(), `
		SELECT at::text || ' ' || kind || ' ' || step || ' ' || actor || ' ' || detail FROM events WHERE onboarding_id = $1
		UNION ALL SELECT 'step ' || key || ' ' || state || ' ' || coalesce(next_attempt_at::text, '') || ' ' || coalesce(error::text, '')
			FROM steps WHERE onboarding_id = $1 AND state <> 'succeeded'
		UNION ALL SELECT 'job ' || id || ' ' || state || ' ' || scheduled_at || ' ' || coalesce(attempted_at::text, '') || ' ' || coalesce(attempted_by::text, '')
			FROM river_job WHERE args ->> 'onboarding_id' = $1
		UNION ALL SELECT 'row ' || status || ' job ' || coalesce(job_id::text, '') || ' epoch ' || epoch || ' woken ' || woken FROM onboardings WHERE id = $1`, id)
	if err != nil {
		return err.Error()
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err.Error()
	}
	for _, line := range slices.Concat(lines, c.fleet.logLines(id)) {
		text += "\n  " + line
	}
	return text
}
