package wa

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Channels is a set of channels by which people are reached.
type Channels uint8

// Members of Channels, and all of them.
const (
	OnWhatsApp Channels = 1 << iota
	OnSMS
	OnVoice
	OnEmail

	OnAll = OnWhatsApp | OnSMS | OnVoice | OnEmail
)

var channelNames = [...]string{ChannelWhatsApp, ChannelSMS, ChannelVoice, ChannelEmail}

// ChannelsOf makes a set of channels' names; none make all of them.
func ChannelsOf(names ...string) (c Channels, err error) {
	for _, name := range names {
		i := slices.Index(channelNames[:], name)
		if i < 0 {
			return 0, fmt.Errorf("%q is no channel: there are %s", Clean(name), strings.Join(channelNames[:], ", "))
		}
		c |= 1 << i
	}
	if c == 0 {
		c = OnAll
	}
	return c, nil
}

// Has tells whether a channel is in the set; one that is not known is in none.
func (c Channels) Has(name string) bool {
	i := slices.Index(channelNames[:], name)
	return i >= 0 && c&(1<<i) != 0
}

// Names are the channels' names, in their usual order.
func (c Channels) Names() (names []string) {
	for i, name := range channelNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String lists the channels for people.
func (c Channels) String() string {
	if c == OnAll {
		return "every channel"
	}
	return strings.Join(c.Names(), ", ")
}

// SuppressRule says who is not written to because of what happened to messages
// to them, or because of what they asked for.
type SuppressRule struct {
	Name string // what people call it, and the configuration
	Text string // why somebody is held, a few words for people

	// Codes are the error codes that count. None make the rule about people's own
	// word: it holds who opted out by their latest one.
	Codes    []int
	AtLeast  int           // so many messages that failed with one of Codes hold a person
	Within   time.Duration // that failed so lately; 0 = ever
	Ends     SuppressEnd   // what makes failures before it count no more
	Channels Channels      // that are closed to a person
	// Marketing rules hold marketing and nothing else: Meta delivers other messages
	// to these people.
	Marketing bool
	// Wish says that the person asked for it. Such a rule is never off, and nobody
	// is released from it but one by one.
	Wish bool
	Off  bool
}

// SuppressEnd is what ends a hold, besides time and a release by hand.
type SuppressEnd uint8

// Ends of a hold.
const (
	EndsNever   SuppressEnd = iota
	EndsWriting             // the person writes to us
	EndsResume              // the person lets marketing resume, in WhatsApp's settings
)

// String says it in a few words.
func (e SuppressEnd) String() string {
	switch e {
	case EndsWriting:
		return "until they write to you"
	case EndsResume:
		return "until they let marketing resume in WhatsApp"
	}
	return "until released"
}

// Names of the rules.
const (
	RuleOptedOut    = "opted-out"
	RuleRefuser     = "refused-marketing"
	RuleUndelivered = "undeliverable"
	RuleWithheld    = "withheld-lately"
	RuleWithheldOft = "withheld-often"
	RuleExperiment  = "experiment"
	RuleBlocked     = "blocked-by-us"
)

// How the error segment counts marketing that Meta withholds: within so many days
// once, and ever so often.
const (
	WithheldDays  = 16
	WithheldOften = 3 // more than twice
)

// The codes that rules count.
const (
	codeUndeliverable = 131026
	codeWithheld      = 131049
	codeExperiment    = 130472
	codeStopped       = 131050
	codeBlocked       = 130403
)

// ErrorSegment are the rules that Klaviyo's guide to WhatsApp errors puts into a
// segment to be excluded from campaigns. They close WhatsApp only: by SMS these
// people can be reached.
var ErrorSegment = []string{RuleUndelivered, RuleWithheld, RuleWithheldOft}

// SuppressRules are the rules in force, those that are stricter with a person first.
type SuppressRules []SuppressRule

// DefaultSuppressRules are the rules without configuration, each on. Codes and
// what they mean: the catalogue (LookUp).
func DefaultSuppressRules() SuppressRules {
	rules := SuppressRules{
		{Name: RuleOptedOut, Text: "opted out", Channels: OnAll, Wish: true},
		{
			Name: RuleRefuser, Text: "stopped marketing in WhatsApp (131050)",
			Codes: []int{codeStopped}, AtLeast: 1, Ends: EndsResume, Channels: OnAll, Marketing: true, Wish: true,
		},
		{Name: RuleBlocked, Text: "blocked by our own number (130403)", Codes: []int{codeBlocked}, AtLeast: 1, Channels: OnAll},
		{Name: RuleUndelivered, Text: "cannot be reached on WhatsApp (131026)", Codes: []int{codeUndeliverable}, AtLeast: 1, Channels: OnWhatsApp},
		{
			Name:  RuleWithheldOft,
			Codes: []int{codeWithheld, codeExperiment}, Channels: OnWhatsApp, Marketing: true,
		},
		{
			Name:  RuleWithheld,
			Codes: []int{codeWithheld}, AtLeast: 1, Channels: OnWhatsApp, Marketing: true,
		},
		{
			Name: RuleExperiment, Text: "in an experiment of Meta's (130472)",
			Codes: []int{codeExperiment}, AtLeast: 1, Ends: EndsWriting, Channels: OnWhatsApp, Marketing: true,
		},
	}
	rules.Withheld(WithheldDays, WithheldOften)
	return rules
}

// ErrorSegmentName is what TurnOff calls the rules of ErrorSegment.
const ErrorSegmentName = "error-segment"

// TurnOff switches a rule off, by its name or by the code that it alone is about,
// or those of the error segment together. What people asked for themselves cannot
// be switched off.
func (rs SuppressRules) TurnOff(name string) error {
	if name == ErrorSegmentName {
		for _, name := range ErrorSegment {
			if err := rs.TurnOff(name); err != nil {
				return err
			}
		}
		return nil
	}
	names := []string{ErrorSegmentName}
	for i := range rs {
		r := &rs[i]
		if !r.Wish {
			names = append(names, r.Name)
		}
		if name != r.Name && (len(r.Codes) != 1 || name != fmt.Sprint(r.Codes[0])) {
			continue
		}
		if r.Wish {
			return fmt.Errorf("%s cannot be switched off: these people asked not to be written to", r.Name)
		}
		r.Off = true
		return nil
	}
	return fmt.Errorf("%.40q is no rule that can be switched off: there are %s", Clean(name), strings.Join(names, ", "))
}

// Withheld sets how the rules about marketing that Meta withholds count: within
// how many days a single failure holds, and how many hold for ever.
func (rs SuppressRules) Withheld(days, often int) {
	for i := range rs {
		switch r := &rs[i]; r.Name {
		case RuleWithheld:
			r.Within = time.Duration(days) * 24 * time.Hour
			r.Text = fmt.Sprintf("Meta withheld marketing in the last %d days (131049)", days)
		case RuleWithheldOft:
			r.AtLeast = often
			r.Text = fmt.Sprintf("Meta withheld marketing %d times or more (131049, 130472)", often)
		}
	}
}

// Named finds a rule that is on; nil when there is none of that name.
func (rs SuppressRules) Named(name string) *SuppressRule {
	for i := range rs {
		if rs[i].Name == name && !rs[i].Off {
			return &rs[i]
		}
	}
	return nil
}

// Codes are the error codes that rules which are on count.
func (rs SuppressRules) Codes() (codes []int) {
	for i := range rs {
		if !rs[i].Off {
			codes = append(codes, rs[i].Codes...)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// Failed is a message to a person that failed and was never delivered.
type Failed struct {
	Code int
	At   Instant
}

// Record is what is known of one person that rules look at.
type Record struct {
	Failures  []Failed
	OptedOut  bool // is their latest word
	WordAt    Instant
	WroteAt   Instant            // when they last wrote to us; 0 = never
	ResumedAt Instant            // when they last let marketing resume; 0 = never
	Released  map[string]Instant // by rule: until when nothing counts, for an operator released them
}

// Hold is one reason why a person is not written to.
type Hold struct {
	Rule      string // "" = an entry of the suppression list, made by hand or imported
	Reason    string // a few words for people; foreign text where Rule is ""
	Since     Instant
	Until     Instant // 0 = for ever, or until what Rule says
	By        string  // who made the entry
	Channels  Channels
	Marketing bool // holds marketing only
}

// Closes tells whether it keeps a message from a person, at a moment.
func (h *Hold) Closes(channel string, marketing bool, now Instant) bool {
	return h.Channels.Has(channel) && (marketing || !h.Marketing) && (h.Until == 0 || h.Until > now)
}

// Why is the reason as it stands beside one person.
func (h *Hold) Why() string {
	if h.Rule == "" && h.Reason != "" {
		return "suppressed: " + h.Reason
	}
	return h.Class()
}

// Class is the reason under which people are counted.
func (h *Hold) Class() string {
	switch h.Rule {
	case RuleOptedOut:
		return h.Reason
	case "":
		return "suppressed: on the suppression list"
	}
	return "suppressed: " + h.Reason
}

// Hold applies the rule to a person; false = it does not hold them at this moment.
func (r *SuppressRule) Hold(p *Record, now Instant) (Hold, bool) {
	h := Hold{Rule: r.Name, Reason: r.Text, Channels: r.Channels, Marketing: r.Marketing}
	released := p.Released[r.Name]
	if r.Off {
		return h, false
	}
	if len(r.Codes) == 0 {
		h.Since = p.WordAt
		return h, p.OptedOut && p.WordAt > released
	}
	var at []Instant
	for _, f := range p.Failures {
		switch {
		case !slices.Contains(r.Codes, f.Code), f.At <= released,
			r.Ends == EndsWriting && p.WroteAt > f.At,
			r.Ends == EndsResume && p.ResumedAt > f.At,
			r.Within > 0 && f.At+r.within() <= now:
		default:
			at = append(at, f.At)
		}
	}
	if len(at) < max(r.AtLeast, 1) {
		return h, false
	}
	slices.Sort(at)
	h.Since = at[max(r.AtLeast, 1)-1]
	if r.Within > 0 {
		h.Until = at[len(at)-max(r.AtLeast, 1)] + r.within()
	}
	return h, true
}

func (r *SuppressRule) within() Instant { return Instant(r.Within.Milliseconds()) }

// Holds are the rules that hold a person at a moment, in the rules' order.
func (rs SuppressRules) Holds(p *Record, now Instant) (all []Hold) {
	for i := range rs {
		if h, held := rs[i].Hold(p, now); held {
			all = append(all, h)
		}
	}
	return all
}
