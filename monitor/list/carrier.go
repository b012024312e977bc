package list

import (
	"sync"

	"github.com/nyaruka/phonenumbers"

	"tickwatch/wa"
)

// carrierDigits are the longest prefix that a numbering plan gives to a carrier in
// the library's data.
const carrierDigits = 9

// carriers remembers what was asked for, by prefix. It is bounded: when it is full
// it begins anew.
var carriers struct {
	sync.Mutex
	byPrefix map[string]string
}

const carriersKept = 50_000

// CarrierOf is the carrier to whose range a number in E.164 belongs by the numbering
// plan; "" = it tells none. A number that was taken along to another carrier is still in
// the first one's range.
func CarrierOf(phone string) string {
	digits := wa.Digits(phone)
	prefix := digits[:min(len(digits), carrierDigits)]
	carriers.Lock()
	defer carriers.Unlock()
	name, known := carriers.byPrefix[prefix]
	if known {
		return name
	}
	if number, err := phonenumbers.Parse("+"+digits, ""); err == nil {
		name, _ = phonenumbers.GetCarrierForNumber(number, "en") // without a name there is none
	}
	if carriers.byPrefix == nil || len(carriers.byPrefix) >= carriersKept {
		carriers.byPrefix = map[string]string{}
	}
	name = wa.Clean(name)
	carriers.byPrefix[prefix] = name
	return name
}
