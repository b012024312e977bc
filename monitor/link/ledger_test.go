package link

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func answerCommand(l *ledger, id string, size int) (fresh bool) {
	e, mine := l.claim(commandKey{1000, id}, [32]byte{})
	if mine {
		l.settle(e, make([]byte, size))
	}
	return mine
}

func TestLedgerForgetsTheOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(time.Now)
		under, _ := l.claim(commandKey{1000, "under way"}, [32]byte{})
		for i := range ledgerCount + 1 {
			answerCommand(l, fmt.Sprint(i), 10)
		}
		if answerCommand(l, "1", 10) {
			t.Error("one of the latest answers was forgotten")
		}
		if !answerCommand(l, "0", 10) {
			t.Error("more answers than the bound are held")
		}
		time.Sleep(ledgerAge + time.Second) // the bubble's clock
		if !answerCommand(l, "2", 10) {
			t.Error("an old answer is still held")
		}
		if again, mine := l.claim(commandKey{1000, "under way"}, [32]byte{}); mine || again != under {
			t.Error("a command under way was forgotten")
		}
		if _, mine := l.claim(commandKey{1001, "under way"}, [32]byte{}); !mine {
			t.Error("users share ids")
		}
	})
}

// A list on its way does not drive out what must not run twice.
func TestAnUploadLeavesOtherAnswers(t *testing.T) {
	path := socketPath(t)
	var ran atomic.Int32
	startServer(t, path, ServerOptions{Handle: func(_ context.Context, _ Peer, cmd Command) (any, error) {
		if cmd.Verb == VerbRetry || string(cmd.Args) == "{}" && cmd.Verb == VerbUpload {
			ran.Add(1)
		}
		return cmd.Args, nil
	}})
	conn := rawConsole(t, path)
	ask := func(id, verb, args string) {
		send(t, conn, Command{ID: id, Verb: verb, Args: []byte(args)})
		if ack := readAck(t, conn); ack.CommandID != id || ack.Error != nil {
			t.Fatalf("%s: %+v", verb, ack)
		}
	}
	ask("retry", VerbRetry, "{}")
	ask("first piece", VerbUpload, "{}")
	for i := range 2 * ledgerCount {
		ask(fmt.Sprint("piece ", i), VerbUpload, `{"upload":"u1"}`)
		ask(fmt.Sprint("look ", i), VerbJob, "{}")
	}
	ask("retry", VerbRetry, "{}")
	ask("first piece", VerbUpload, "{}")
	if n := ran.Load(); n != 2 {
		t.Errorf("both ran %d times", n)
	}
}

func TestLedgerBoundsItsBytes(t *testing.T) {
	l := newLedger(time.Now)
	for i := range 20 {
		answerCommand(l, fmt.Sprint(i), maxDaemonFrame)
	}
	if l.bytes > ledgerBytes || len(l.entries) != ledgerBytes/maxDaemonFrame {
		t.Errorf("%d answers of %d bytes are held", len(l.entries), l.bytes)
	}
}
