package onboarding

import "time"

type crew struct{ idle chan func() }

var theCrew = &crew{idle: make(chan func())}

func (c *crew) Go(f func()) {
	select {
	case c.idle <- f:
	default:
		go c.work(f)
	}
}

func (c *crew) work(f func()) {
	t := time.NewTimer(time.Second)
	for {
		f()
		t.Reset(time.Second)
		select {
		case f = <-c.idle:
		case <-t.C:
			return
		}
	}
}
