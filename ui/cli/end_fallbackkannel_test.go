//go:build terminal

package cli_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// TestKannelFallback: people whose message failed are reached by a real Kannel or
// by a real mail server, once each, whoever is killed meanwhile; what became of
// their messages is told as the message centre and the mail server have it; and
// who opts out, by SMS or by the link in a mail, is not written to again.
func TestKannelFallback(t *testing.T) {
	t.Parallel()
	s := openSecondChance(t)
	s.do(t, "pause", "--channel", "email")
	plan := s.orderBoth(t)
	s.killedWithOpenRequests(t)
	s.killedAtRandom(t)
	stopped := s.stopWhileDown(t)
	s.gatewayKilled(t)
	s.allTexted(t)
	s.allMailed(t)
	s.balance(t, plan, stopped)
	s.neverAgain(t, stopped)
}

// orderBoth plans and orders, and holds that the plan is right and nothing leaves
// while it can be undone.
func (s *secondChance) orderBoth(t *testing.T) (plan link.FallbackPlan) {
	t.Helper()
	args := []string{"fallback", ownKey, "--channel", "sms,email"}
	channels, failed := map[string]int64{}, int64(0)
	waitFor(t, "a plan knows of all that failed", func() bool {
		failures := s.failures()
		channels, failed = map[string]int64{}, int64(len(failures))
		planted := 0
		for i := range s.rows {
			r := &s.rows[i]
			channels[r.channel(failures[r.phone])]++
			if r.code != 0 && failures[r.phone] == r.code {
				planted++
			}
		}
		plan = link.FallbackPlan{}
		s.json(t, &plan, append(args, "--dry-run", "--json")...)
		return planted == s.planted && plan.Eligible+leftOutFor(&plan, "") == failed && len(s.failures()) == int(failed)
	})
	got := map[string]int64{}
	for _, c := range plan.Channels {
		got[c.Channel] = c.Eligible
	}
	if got[wa.ChannelSMS] != channels[wa.ChannelSMS] || got[wa.ChannelEmail] != channels[wa.ChannelEmail] ||
		plan.Eligible != channels[wa.ChannelSMS]+channels[wa.ChannelEmail] || leftOutFor(&plan, "131049") == 0 || leftOutFor(&plan, "131050") == 0 {
		t.Errorf("of %v, by channel, there is planned: %+v", channels, plan)
	}
	s.json(t, &plan, append(args, "--yes", "--json")...)
	starts := plan.Run.StartsAt
	waitFor(t, "the first are out", func() bool { return len(s.kannel.smsc.Sent()) > 0 })
	if first := s.kannel.smsc.Sent()[0].At; first.Before(starts) {
		t.Errorf("one left at %v, and until %v all could be undone", first, starts)
	}
	return plan
}

// killedWithOpenRequests kills the daemon while Kannel has taken requests and not
// answered. Kannel sends them all the same: they are not sent again, and receipts
// tell of them.
func (s *secondChance) killedWithOpenRequests(t *testing.T) {
	t.Helper()
	waitFor(t, "some are out", func() bool { return s.texted(t) >= 10 })
	open := s.hang(t, s.kannel.bearerbox)
	waitFor(t, "smsbox has read them", func() bool {
		log := s.kannel.log(t, "smsbox")
		return !slices.ContainsFunc(open, func(m beside) bool { return !strings.Contains(log, "to:<"+m.to+">") })
	})
	s.kill(t)
	s.kannel.bearerbox.signal(syscall.SIGCONT)
	s.again(t)
	waitFor(t, "receipts tell of what was under way", func() bool {
		left := len(open)
		for _, m := range s.messages(t) {
			if m.state > diskSMSUnknown && slices.ContainsFunc(open, func(o beside) bool { return o.id == m.id }) {
				left--
			}
		}
		return left == 0
	})
}

// hang stops one of Kannel's processes, and waits until as many requests as may be
// are not answered. What bearerbox is asked to take it takes later; smsbox reads no
// request of which the other end has gone.
func (s *secondChance) hang(t *testing.T, b *box) (open []beside) {
	t.Helper()
	b.signal(syscall.SIGSTOP)
	const atOnce = 8 // requests of a channel
	waitFor(t, "requests are not answered", func() bool {
		open = open[:0]
		for _, m := range s.messages(t) {
			if m.channel == wa.ChannelSMS && m.state == diskSMSClaimed {
				open = append(open, m)
			}
		}
		return len(open) == atOnce
	})
	return open
}

func (s *secondChance) killedAtRandom(t *testing.T) {
	t.Helper()
	for range 2 {
		target := s.texted(t) + 1 + rand.IntN(8)
		waitFor(t, "more are out", func() bool { return s.texted(t) >= target })
		s.killAfter(t, time.Duration(rand.IntN(20_000))*time.Microsecond)
		s.again(t)
	}
}

// stopWhileDown has somebody who waits write STOP while no daemon is there. A pause
// outlives it, too.
func (s *secondChance) stopWhileDown(t *testing.T) (who string) {
	t.Helper()
	s.do(t, "pause", "--channel", "sms")
	for _, m := range s.messages(t) {
		if m.channel == wa.ChannelSMS && m.state == diskSMSWaiting {
			who = m.to // the last one
		}
	}
	if who == "" {
		t.Fatal("nobody waits any more")
	}
	s.kill(t)
	s.reply(t, who, "Stop.")
	waitFor(t, "Kannel passes it on", func() bool { return strings.Contains(s.kannel.log(t, "smsbox"), "Starting to service <Stop.>") })
	s.again(t)
	s.optedOut(t, who)
	return who
}

// gatewayKilled kills Kannel while it holds messages for a centre that is down, and
// has not answered others. Nothing is on its way between it and the centre: what
// is, Kannel itself would send again.
func (s *secondChance) gatewayKilled(t *testing.T) {
	t.Helper()
	s.receiptsTold(t)
	s.kannel.smsc.Down()
	waitFor(t, "Kannel knows that the centre is down", func() bool { return strings.Contains(s.kannel.page(), "re-connecting") })
	s.do(t, "resume", "--channel", "sms", "--yes")
	waitFor(t, "messages wait in Kannel", func() bool { return s.count(t, wa.ChannelSMS, diskSMSAccepted) >= 5 })
	open := s.hang(t, s.kannel.smsbox)
	s.kannel.kill()
	waitFor(t, "what was under way may have gone out", func() bool { return s.count(t, wa.ChannelSMS, diskSMSClaimed) == 0 })
	if n := s.count(t, wa.ChannelSMS, diskSMSUnknown); n < len(open) {
		t.Errorf("%d may have gone out, and %d were under way when Kannel was killed", n, len(open))
	}
	if err := s.kannel.smsc.Up(); err != nil {
		t.Fatal(err)
	}
	s.kannel.start()
}

// allTexted has all SMS go out, and receipts tell of them; of what is still unknown
// then the centre knows nothing, and the operator says so.
func (s *secondChance) allTexted(t *testing.T) {
	t.Helper()
	over := func() bool {
		return s.count(t, wa.ChannelSMS, diskSMSWaiting)+s.count(t, wa.ChannelSMS, diskSMSClaimed) == 0
	}
	waitFor(t, "no SMS waits", over)
	s.receiptsTold(t)
	unknown := s.count(t, wa.ChannelSMS, diskSMSUnknown)
	if unknown == 0 {
		t.Error("nothing is unknown, and the daemon had requests open to a Kannel that was killed")
	}
	for _, m := range s.messages(t) {
		if m.channel == wa.ChannelSMS && m.state == diskSMSUnknown && s.kannel.smsc.Attempts(m.to) > 0 {
			t.Errorf("the centre was asked to send one to %s, and the daemon was not told", m.to)
		}
	}
	var r link.Resolved
	s.json(t, &r, "resolve", ownKey, "--channel", "sms", "--as", "not-sent", "--yes", "--json")
	if int(r.Resolved) != unknown {
		t.Errorf("%d are resolved, and %d were unknown", r.Resolved, unknown)
	}
	waitFor(t, "they are sent", func() bool { return over() && s.count(t, wa.ChannelSMS, diskSMSUnknown) == 0 })
	s.receiptsTold(t)
}

// allMailed has all mails go out, through a kill. Of those that may have gone out
// the operator says that they did: most did.
func (s *secondChance) allMailed(t *testing.T) {
	t.Helper()
	if n := len(s.mail.got()); n > 0 {
		t.Errorf("%d mails went out while that channel was paused", n)
	}
	s.do(t, "resume", "--channel", "email", "--yes")
	waitFor(t, "mails go out", func() bool { return len(s.mail.got()) > 5 })
	s.killAfter(t, time.Duration(rand.IntN(20_000))*time.Microsecond)
	s.again(t)
	waitFor(t, "no mail waits, but for who cannot be reached now", func() bool {
		waiting := false
		for _, m := range s.messages(t) {
			waiting = waiting || m.channel == wa.ChannelEmail && m.state <= diskSMSClaimed && !strings.HasPrefix(m.to, "later@")
		}
		return !waiting
	})
	s.do(t, "resolve", ownKey, "--channel", "email", "--as", "sent")
	s.do(t, "pause", "--channel", "email") // so that the last one is not under way
	waitFor(t, "none is under way", func() bool { return s.count(t, wa.ChannelEmail, diskSMSClaimed) == 0 })
	s.do(t, "fallback", "cancel", ownKey)
}
