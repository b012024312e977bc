package smsc

import (
	"fmt"
	"strings"
	"time"
)

// fate is what becomes of a message to a number.
type fate struct {
	refusal  status // of its submit_sm; ok = it is taken
	refusals int    // how often it is refused; 0 = always
	stat     string // in the receipt
	state    byte   // message_state (SMPP 3.4, 5.2.28)
	err      string // the network's code, in the receipt
	receipts int
}

// delivered is the fate of most.
var delivered = fate{stat: "DELIVRD", state: 2, err: "000", receipts: 1}

// fates are those of numbers that end so.
var fates = map[string]fate{
	"02": {stat: "UNDELIV", state: 5, err: "021", receipts: 1},
	"05": {stat: "EXPIRED", state: 3, err: "027", receipts: 1},
	"16": {refusal: invalidAddressee},
	"58": {refusal: throttled},
	"59": {refusal: throttled, refusals: 2, stat: delivered.stat, state: delivered.state, err: delivered.err, receipts: 1},
	"77": {},
	"88": {stat: delivered.stat, state: delivered.state, err: delivered.err, receipts: 2},
}

func fateOf(to string) fate {
	if len(to) >= 2 {
		if f, odd := fates[to[len(to)-2:]]; odd {
			return f
		}
	}
	return delivered
}

// answer is what an attempt is answered with, the first being 1.
func (f *fate) answer(attempt int) status {
	if f.refusals > 0 && attempt > f.refusals {
		return ok
	}
	return f.refusal
}

// receipt is the deliver_sm that tells what became of a part (SMPP 3.4, appendix
// B, and 5.3.2). Its times have minutes only.
func (f *fate) receipt(m *shortMessage, id, text string, submitted, done time.Time) shortMessage {
	const minute = "0601021504"
	runes := []rune(strings.ToValidUTF8(text, "?"))
	for i, r := range runes { // it is in the default alphabet, whatever the message was in
		if r < ' ' || r > '~' {
			runes[i] = '?'
		}
	}
	words := fmt.Sprintf("id:%s sub:001 dlvrd:%03d submit date:%s done date:%s stat:%s err:%s text:%s",
		id, map[string]int{delivered.stat: 1}[f.stat], submitted.Format(minute), done.Format(minute), f.stat, f.err,
		string(runes[:min(20, len(runes))]))
	return shortMessage{
		from: m.to, to: m.from, class: classReceipt, text: []byte(words),
		options: []tlv{{tagReceiptedID, append([]byte(id), 0)}, {tagMessageState, []byte{f.state}}},
	}
}
