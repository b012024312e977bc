package wa

import (
	"strconv"
	"strings"
)

// OwnData is the callback data that our own sends carry: the campaign's id, so
// that everybody else who reads the webhooks knows the campaign; which store
// knows the message; and the message's id there.
func OwnData(campaign, store string, message int64) string {
	return campaign + ":" + ownMark + store + "-" + strconv.FormatInt(message, 36)
}

const ownMark = "tw-"

// OwnMessage reads a message's id off callback data that OwnData made for a
// store; false when it is another's.
func OwnMessage(data, store string) (message int64, ok bool) {
	tail := data[strings.LastIndexByte(data, ':')+1:]
	rest, ok := strings.CutPrefix(tail, ownMark)
	if !ok || store == "" {
		return 0, false
	}
	if rest, ok = strings.CutPrefix(rest, store); !ok {
		return 0, false
	}
	if rest, ok = strings.CutPrefix(rest, "-"); !ok {
		return 0, false
	}
	message, err := strconv.ParseInt(rest, 36, 64)
	return message, err == nil && message > 0
}
