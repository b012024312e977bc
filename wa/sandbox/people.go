package sandbox

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// block is a range of mobile numbers of one country.
type block struct {
	country string // ISO 3166, as a BSUID begins
	calling string // country calling code
	prefix  string // first digits after it
	digits  int    // how many follow
	share   int    // of the list, in per cent; all blocks together make 100
}

// Ranges that the countries' numbering plans give to mobile phones.
var blocks = [...]block{
	{"PT", "351", "91", 7, 22},
	{"PT", "351", "93", 7, 10},
	{"PT", "351", "96", 7, 14},
	{"BR", "55", "119", 8, 12},
	{"ES", "34", "6", 8, 9},
	{"FR", "33", "612", 6, 7},
	{"DE", "49", "151", 8, 6},
	{"CI", "225", "07", 8, 9},
	{"CI", "225", "05", 8, 3},
	{"AO", "244", "923", 6, 4},
	{"MZ", "258", "84", 7, 3},
	{"GB", "44", "7400", 6, 1},
}

var firstNames = [...]string{
	"Ana", "Inês", "João", "Rita", "Tiago", "Marta", "Luís", "Sofia", "Bruno", "Clara", "Lena", "Jonas",
	"Awa", "Koffi", "Marie", "Paul", "Nélia", "Célio", "Carmen", "Pablo", "Bia", "Caio", "Emma", "Noah",
}

// population is everybody on the outside sender's list. Strangers exist too:
// any number can be written to, and its owner is always the same person.
type population struct {
	seed   uint64
	phones []string       // by row
	rows   map[string]int // by phone
}

func newPopulation(seed uint64, size int) *population {
	p := &population{seed: seed, phones: make([]string, size), rows: make(map[string]int, size)}
	for row := range size {
		phone := phoneOf(seed, row)
		p.phones[row], p.rows[phone] = phone, row
	}
	return p
}

// phoneOf is the number in a row of the list; no two rows have the same.
func phoneOf(seed uint64, row int) string {
	draw := int(hash(seed, "block", row) % 100)
	i := 0
	for draw >= blocks[i].share {
		draw -= blocks[i].share
		i++
	}
	b := blocks[i]
	// A multiplier that shares no factor with ten visits every number of the
	// block once, in an order that does not look like one.
	size := uint64(math.Pow10(b.digits))
	local := (uint64(row)*61_803_399 + hash(seed, "offset", i)) % size
	return fmt.Sprintf("%s%s%0*d", b.calling, b.prefix, b.digits, local)
}

// person is who owns a number.
type person struct {
	phone    string // wa_id: digits, no plus
	name     string
	bsuid    string // "" for the few who have none yet
	off      bool   // the phone is off: nothing arrives
	receipts bool   // read receipts are on
}

// Shares of people, by what sets them apart.
const (
	shareOff      = 0.02
	shareReceipts = 0.72
	shareBSUID    = 0.93
)

func (p *population) person(phone string) person {
	r := stream(p.seed, "person", phone)
	who := person{
		phone:    phone,
		name:     firstNames[r.IntN(len(firstNames))],
		off:      r.Float64() < shareOff,
		receipts: r.Float64() < shareReceipts,
	}
	number := 1_000_000_000 + r.Uint64N(9_000_000_000)
	if country := countryOf(phone); country != "" && r.Float64() < shareBSUID {
		who.bsuid = country + "." + strconv.FormatUint(number, 10)
	}
	return who
}

func countryOf(phone string) string {
	for _, b := range blocks {
		if strings.HasPrefix(phone, b.calling) {
			return b.country
		}
	}
	return ""
}

// hash turns a seed and a few words into a number that looks drawn by lot.
func hash(seed uint64, words ...any) uint64 {
	h := fnv.New64a()
	for _, w := range words {
		_, _ = fmt.Fprintf(h, "%v\x00", w) // a hash takes everything
	}
	// FNV mixes its last bytes weakly; the finaliser of SplitMix64 makes up for it.
	x := h.Sum64() ^ (seed+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// stream is a source of chance that belongs to these words alone.
func stream(seed uint64, words ...any) *rand.Rand {
	return rand.New(rand.NewPCG(seed, hash(seed, words...)))
}

// Person is somebody that a campaign can be sent to, as a row of a list has them.
type Person struct {
	Phone    string // E.164, with the plus
	Name     string // first name
	Country  string // ISO 3166
	Language string // as templates name it, "pt_PT"
	Consent  bool   // to marketing by WhatsApp
	SMS      bool   // consent to marketing by SMS
}

// Shares of a list that agreed to be written to: by WhatsApp, as a list for it
// should have them, and by SMS too.
const (
	shareConsent    = 0.995
	shareSMSConsent = 0.85
)

// languages of the countries of the list.
var languages = map[string]string{
	"PT": "pt_PT", "BR": "pt_BR", "AO": "pt_PT", "MZ": "pt_PT", "ES": "es", "FR": "fr", "CI": "fr", "DE": "de", "GB": "en_GB",
}

// People gives the first n people of the list, for one seed always the same
// ones and each once; there are 1,000,000. It is the list of the outside sender,
// so that a campaign of one's own meets the same fates.
func (s *Sandbox) People(n int) iter.Seq[Person] {
	return func(yield func(Person) bool) {
		for row := range min(n, maxMessages) {
			phone := phoneOf(s.opts.Seed, row)
			country := countryOf(phone)
			p := Person{
				Phone: "+" + phone, Name: s.people.person(phone).name, Country: country, Language: languages[country],
				Consent: s.agreed("consent", phone, shareConsent), SMS: s.agreed("sms consent", phone, shareSMSConsent),
			}
			if !yield(p) {
				return
			}
		}
	}
}

// agreed tells whether somebody is one of the share who agreed to something.
func (s *Sandbox) agreed(to, phone string, share float64) bool {
	return float64(hash(s.opts.Seed, to, phone)>>11)/(1<<53) < share
}
