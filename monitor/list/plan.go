package list

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// plan is the world's numbering plans as state machines, built as numbers come.
// It answers what phonenumbers answers for an international number that is valid
// as it stands, some hundred times faster: a list has a million of them, and the
// sending windows are asked at every claim. What it does not know for certain, it
// leaves to phonenumbers.
//
// phonenumbers describes each kind of number of each region by a regular
// expression. A state is how far all those of one country code have come after
// some digits; there are a few hundred that real lists reach.
type plan struct {
	mu    sync.Mutex
	codes map[int]*codePlan // nil = no country has this code
}

// world is shared by all who read numbers: it is a cache and holds nothing else.
var world = plan{codes: map[int]*codePlan{}}

// codePlan is the plan of one country calling code.
type codePlan struct {
	regions  []regionPlan   // in the order in which phonenumbers tries them
	patterns []*syntax.Prog // one regular expression over digits each; the first is none
	start    *state
	states   map[string]*state
}

// regionPlan names a region's patterns by their index; 0 is one that never matches.
type regionPlan struct {
	id      string // ISO 3166; "" = no country
	leading int    // numbers that begin so are the region's, without a look at the rest
	prefix  int    // of the code's main region: what phonenumbers may strip
	general int    // what every number of the region matches
	kinds   []int  // in the order in which phonenumbers asks for them
}

// The kinds of regionPlan.kinds that people have WhatsApp on.
const (
	kindVoIP     = 3
	kindPersonal = 4
	kindFixed    = 8
	kindMobile   = 9
)

// state is where the patterns of a code stand after some digits.
type state struct {
	next    [10]*state
	threads []uint32 // pattern<<16 | instruction, sorted
	judged  bool
	answer  answer
}

type answer struct {
	region string
	fixed  bool
	known  bool
}

// maxStates bounds the memory of one code's states; beyond it they are built anew.
const maxStates = 20_000

// classify tells the region and the kind of a valid number, given with its
// country code and without plus. Not ok: it is not valid, or not for certain.
func (p *plan) classify(digits string) (region string, fixed, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	code, rest := p.code(digits)
	if code == nil || len(rest) < 2 || len(rest) > 15 {
		return "", false, false
	}
	at := code.start
	for i := range len(rest) {
		d := rest[i] - '0'
		next := at.next[d]
		if next == nil {
			next = code.step(at, d)
		}
		at = next
	}
	if !at.judged {
		at.answer, at.judged = code.judge(at), true
	}
	return at.answer.region, at.answer.fixed, at.answer.known
}

// code splits the country calling code off. No code begins with another, or with 0.
func (p *plan) code(digits string) (*codePlan, string) {
	if strings.HasPrefix(digits, "0") {
		return nil, ""
	}
	number := 0
	for i := range min(3, len(digits)) {
		number = number*10 + int(digits[i]-'0')
		code, ok := p.codes[number]
		if !ok {
			code = newCodePlan(number)
			p.codes[number] = code
		}
		if code != nil {
			return code, digits[i+1:]
		}
	}
	return nil, ""
}

// territories are what phonenumbers knows of each region; read once, for it must
// not be asked for it twice at a time.
var territories = sync.OnceValue(func() map[string]*phonenumbers.PhoneMetadata {
	all := map[string]*phonenumbers.PhoneMetadata{}
	known, err := phonenumbers.MetadataCollection()
	if err != nil {
		return all // then phonenumbers itself answers everything
	}
	for _, t := range known.GetMetadata() {
		all[territory(t.GetId(), int(t.GetCountryCode()))] = t
	}
	return all
})

// territory keys a region; those that are no country share one name.
func territory(id string, code int) string {
	if id == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return id + strconv.Itoa(code)
	}
	return id
}

// newCodePlan is nil where no region has the code.
func newCodePlan(number int) *codePlan {
	ids := phonenumbers.GetRegionCodesForCountryCode(number)
	c := &codePlan{patterns: make([]*syntax.Prog, 1)}
	for i, id := range ids {
		t := territories()[territory(id, number)]
		if t == nil {
			return nil
		}
		r := regionPlan{id: id, leading: c.addPrefix(t.GetLeadingDigits()), general: c.add(t.GetGeneralDesc())}
		if id == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
			r.id = ""
		}
		if i == 0 {
			r.prefix = c.addPrefix(t.GetNationalPrefixForParsing())
		}
		for _, kind := range []*phonenumbers.PhoneNumberDesc{
			t.GetPremiumRate(), t.GetTollFree(), t.GetSharedCost(), t.GetVoip(), t.GetPersonalNumber(),
			t.GetPager(), t.GetUan(), t.GetVoicemail(), t.GetFixedLine(), t.GetMobile(),
		} {
			r.kinds = append(r.kinds, c.add(kind))
		}
		if t.GetSameMobileAndFixedLinePattern() {
			r.kinds[kindMobile] = r.kinds[kindFixed]
		}
		c.regions = append(c.regions, r)
	}
	if len(ids) == 0 || slices.Contains(c.patterns[1:], nil) {
		return nil
	}
	c.forget()
	return c
}

// add takes up the pattern of a kind of number. What lengths phonenumbers knows for
// a kind, its pattern says too.
func (c *codePlan) add(desc *phonenumbers.PhoneNumberDesc) int {
	return c.compile(desc.GetNationalNumberPattern(), "")
}

// addPrefix takes up a pattern of how numbers begin.
func (c *codePlan) addPrefix(expr string) int { return c.compile(expr, ".*") }

// compile gives the index of a pattern; one that we cannot follow becomes nil.
func (c *codePlan) compile(expr, rest string) int {
	if expr == "" {
		return 0
	}
	var usable *syntax.Prog
	if re, err := syntax.Parse("(?:"+expr+")"+rest, syntax.Perl); err == nil {
		prog, err := syntax.Compile(re.Simplify())
		plain := err == nil && !slices.ContainsFunc(prog.Inst, func(i syntax.Inst) bool { return i.Op == syntax.InstEmptyWidth })
		if plain && len(prog.Inst) < 1<<16 {
			usable = prog
		}
	}
	c.patterns = append(c.patterns, usable)
	return len(c.patterns) - 1
}

// forget drops all states but the first.
func (c *codePlan) forget() {
	var threads []uint32
	for i, p := range c.patterns[1:] {
		threads = c.follow(threads, uint32(i+1), uint32(p.Start)) //nolint:gosec // G115: bounded by compile
	}
	c.start, c.states = &state{threads: threads}, map[string]*state{}
}

// follow adds the instructions that a thread reaches without a digit.
func (c *codePlan) follow(threads []uint32, at, pc uint32) []uint32 {
	inst := &c.patterns[at].Inst[pc]
	switch inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return c.follow(c.follow(threads, at, inst.Out), at, inst.Arg)
	case syntax.InstCapture, syntax.InstNop:
		return c.follow(threads, at, inst.Out)
	case syntax.InstFail:
		return threads
	}
	return append(threads, at<<16|pc)
}

// step builds the state after a digit.
func (c *codePlan) step(from *state, digit byte) *state {
	if len(c.states) >= maxStates {
		c.forget()
	}
	var threads []uint32
	for _, t := range from.threads {
		inst := &c.patterns[t>>16].Inst[t&0xffff]
		if inst.Op != syntax.InstMatch && inst.MatchRune(rune('0'+digit)) {
			threads = c.follow(threads, t>>16, inst.Out)
		}
	}
	slices.Sort(threads)
	threads = slices.Compact(threads)
	key := make([]byte, 0, 4*len(threads))
	for _, t := range threads {
		key = binary.BigEndian.AppendUint32(key, t)
	}
	to, ok := c.states[string(key)]
	if !ok {
		to = &state{threads: threads}
		c.states[string(key)] = to
	}
	from.next[digit] = to
	return to
}

// judge is GetNumberType and GetRegionCodeForNumber of phonenumbers.
func (c *codePlan) judge(at *state) answer {
	matches := make([]bool, len(c.patterns))
	for _, t := range at.threads {
		if c.patterns[t>>16].Inst[t&0xffff].Op == syntax.InstMatch {
			matches[t>>16] = true
		}
	}
	if matches[c.regions[0].prefix] {
		return answer{} // phonenumbers may take it for a prefix and strip it
	}
	for _, r := range c.regions {
		kind := -1
		if matches[r.general] {
			kind = slices.IndexFunc(r.kinds, func(k int) bool { return matches[k] })
		}
		if len(c.regions) > 1 && r.leading > 0 && !matches[r.leading] || kind < 0 && !matches[r.leading] {
			continue
		}
		fixed := kind != kindVoIP && kind != kindPersonal && kind != kindMobile
		if kind == kindFixed && matches[r.kinds[kindMobile]] {
			fixed = false // it can be either
		}
		return answer{region: r.id, fixed: fixed, known: kind >= 0}
	}
	return answer{}
}
