package wa

import (
	"strconv"
	"strings"
)

// seedMark begins the callback data of messages to the operator's own phones.
const seedMark = "tickwatch-seed:"

// SeedData is the callback data of a message to one of the operator's own phones:
// which store knows it, and its id there. It names no campaign, so that whoever
// reads the webhooks counts it for none.
func SeedData(store string, id int64) string {
	return seedMark + store + "-" + strconv.FormatInt(id, 36)
}

// IsSeed tells whether callback data is of a message to an operator's own phone,
// of any store.
func IsSeed(data string) bool { return strings.HasPrefix(data, seedMark) }

// SeedID reads the id off callback data that SeedData made for a store; false when
// it is another's.
func SeedID(data, store string) (id int64, ok bool) {
	rest, ok := strings.CutPrefix(data, seedMark+store+"-")
	if !ok || store == "" {
		return 0, false
	}
	id, err := strconv.ParseInt(rest, 36, 64)
	return id, err == nil && id > 0
}
