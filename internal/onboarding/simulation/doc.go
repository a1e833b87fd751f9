// Package simulation holds tests only: it plays the life of a few onboardings in virtual time,
// again and again, each time with other misfortunes, and checks that nothing is made twice, nothing
// is lost and nothing gets stuck.
//
// What runs is the real state machine and the real client of Trust Hub, in several replicas, over
// the ledger in memory and the simulator of Trust Hub. What is played is everything around them:
// the network and its faults, replicas that die, are paused for longer than anyone waits for them,
// are taken for dead or are asked to stop, a ledger that fails before or after a write, tokens that
// change, lists that lag or come empty, reviewers, and callbacks that are lost, doubled, late,
// early and forged.
//
// And people: they correct the request, add and remove numbers and products, name what the
// subaccount has already, cancel with and without a cleanup, at any time and in the middle of runs;
// they buy and release numbers, delete things in the Console and hand in there what was rejected;
// reviewers reject with reasons that are then mended, and come back to what they decided; approvals
// lapse. When nothing goes wrong any more they do what is asked of them, and every onboarding must
// come to an end that Twilio agrees with.
//
// Everything follows from a seed. As many are played as fit into a short time; -seeds asks for a
// number of them. A seed that fails is printed with the command that repeats it and the last lines
// of its trace:
//
//	go test ./internal/onboarding/simulation -run TestNothingTwiceNothingLost -seed 4711 -seeds 1 -v
//	go test ./internal/onboarding/simulation -run TestNothingTwice -seeds 100000 -timeout 2h
//
// # How it is repeatable
//
// testing/synctest makes time virtual, but goroutines that are ready at the same moment run in any
// order. So everything that one goroutine does and another could notice is done in a turn (see
// turns): the goroutines that want one wait until nothing else moves, and the seed's generator says
// who is next. Between two turns a few microseconds pass, so that no two of them, and no two
// timers, share a moment. All chances are drawn by whoever gives the turns.
//
// # Where to start
//
// world_test.go has the loop that gives the turns and the story of a run; scenario_test.go and
// people_test.go what the seed decides; wire_test.go the network; acts_test.go and console_test.go
// what people do in attestd and at Twilio, and mend_test.go what they do when they are asked to.
// laws_test.go has what must hold of each call that leaves, counts_test.go of what there is at
// Twilio, and end_test.go when everything is over; mutants_test.go the proof that these checks can
// fail.
package simulation
