package monitor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// standing is what Meta holds against the accounts by its latest word. It
// depends on the news that came and on the order of their receipt, so the store's
// notices give it again.
type standing map[matter]mark

// matter is one thing that Meta can hold against an account.
type matter struct{ account, what string }

func (m matter) subject() string { return m.account + " " + m.what }

// mark is Meta's latest word on a matter; alarm.OK is that it is over.
type mark struct {
	level        alarm.Level
	at           wa.Instant // of the news
	until        wa.Instant // when it ends by itself; 0 = not told
	stands       wa.Instant // how long it stands without an end told, milliseconds; 0 = until lifted
	stops        bool       // Meta takes no campaign message meanwhile
	text, advice string
}

// The longest restriction that Meta's ladder knows is 30 days (whatsapp.md §4);
// one without an end does not alarm for longer.
const longestRestriction = wa.Instant(30 * 24 * time.Hour / time.Millisecond)

// Bounds of what is kept: matters in all, and notices that a start reads.
const (
	maxMatters  = 500
	maxStanding = 1000
)

// loadStanding rebuilds what was known before the start.
func (m *Monitor) loadStanding(ctx context.Context) error {
	news, err := m.o.Store.Notices(ctx, maxStanding, nil,
		store.NoticeAccount, store.NoticeAlert, store.NoticeName, store.NoticeSecurity, store.NoticeFault)
	if err != nil {
		return err
	}
	slices.SortFunc(news, func(a, b store.Notice) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, n := range news {
		switch u := n.News.(type) {
		case wa.AccountUpdate:
			m.standing.update(&u)
		case wa.AccountAlert:
			m.standing.alert(&u)
		case wa.NameUpdate:
			m.standing.name(&u)
		case wa.SecurityUpdate:
			m.standing.security(&u)
		case wa.Fault:
			m.standing.fault(&u, n.At)
		}
	}
	return nil
}

// set takes over the latest word; an older one changes nothing.
func (s standing) set(account, what string, k mark) {
	key := matter{strings.Clone(account), strings.Clone(what)}
	had, known := s[key]
	if known && had.at > k.at || !known && len(s) >= maxMatters {
		return
	}
	k.text = wa.Clean(strings.Clone(k.text))
	s[key] = k
}

// over tells whether it has ended by itself.
func (k *mark) over(now wa.Instant) bool {
	return k.until != 0 && now >= k.until || k.until == 0 && k.stands != 0 && now-k.at >= k.stands
}

// stopped says why Meta takes no campaign message of an account; "" = it does.
func (s standing) stopped(account string, now wa.Instant) string {
	why := ""
	for key, k := range s {
		if key.account == account && k.stops && !k.over(now) && (why == "" || k.text < why) {
			why = k.text
		}
	}
	return why
}

// lift ends the matters of an account that begin with a word.
func (s standing) lift(account, prefix string, at wa.Instant) {
	for key, had := range s {
		if key.account == account && strings.HasPrefix(key.what, prefix) && had.at <= at {
			s[key] = mark{at: at}
		}
	}
}

// update takes over an account update or a review.
func (s standing) update(u *wa.AccountUpdate) {
	set := func(what string, k mark) {
		k.at = u.At
		s.set(u.AccountID, what, k)
	}
	switch u.Event {
	case "ACCOUNT_RESTRICTION":
		for _, r := range u.Restrictions {
			set("restriction "+r.Type+" "+r.NumberHint, restricted(&r))
		}
		if len(u.Restrictions) == 0 { // it names what is restricted: nothing is
			s.lift(u.AccountID, "restriction ", u.At)
		}
	case "DISABLED_UPDATE":
		set("ban", banned(u.BanState, u.BanDate))
	case "ACCOUNT_VIOLATION":
		set("violation", mark{
			level: alarm.Watch, stands: staleNews,
			text:   "Meta says that the account broke its policy: " + cmp.Or(u.Violation, "no reason told"),
			advice: "Stop what breaks it; WhatsApp Manager shows the case and takes an appeal. Restrictions and a ban come next.",
		})
	case "ACCOUNT_DELETED":
		set("gone", mark{level: alarm.Act, stands: staleNews, text: "The WhatsApp account is deleted: nothing can be sent from it", advice: askMeta})
	case "ACCOUNT_OFFBOARDED":
		set("gone", mark{level: alarm.Act, stands: longestRestriction, text: "The WhatsApp account left the platform: nothing can be sent from it", advice: askMeta})
	case "ACCOUNT_RECONNECTED":
		set("gone", mark{})
	case "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED":
		set("partner", mark{
			level: alarm.Watch, stands: staleNews, text: "A partner or an app was taken off the WhatsApp account",
			advice: "If it was the one that sends or that gets the webhooks, nothing goes out or comes in any more: tickwatch doctor looks. Else nothing need be done.",
		})
	case "PARTNER_ADDED", "PARTNER_APP_INSTALLED":
		set("partner", mark{})
	case "":
		if u.Decision == "REJECTED" {
			set("review", mark{level: alarm.Watch, stands: staleNews, text: "Meta's review rejected the account", advice: askMeta})
		} else if u.Decision != "" {
			set("review", mark{}) // the history shows it
		}
	}
}

const askMeta = "Look into WhatsApp Manager, Business Support: it says why, and takes a request for review."

func banned(state, date string) mark {
	on := ""
	if date != "" {
		on = " (" + date + ")"
	}
	switch state {
	case "REINSTATE":
		return mark{}
	case "SCHEDULE_FOR_DISABLE":
		return mark{level: alarm.Act, text: "Meta will disable the WhatsApp account" + on + ": from then on nothing can be sent", advice: askMeta}
	case "DISABLE":
		return mark{level: alarm.Act, text: "Meta disabled the WhatsApp account" + on + ": nothing can be sent", stops: true, advice: askMeta}
	}
	return mark{level: alarm.Watch, stands: longestRestriction, text: "Meta changed whether the account may be used: " + cmp.Or(state, "not told how") + on, advice: askMeta}
}

// restricted says what a restriction means to somebody who sends a campaign.
func restricted(r *wa.Restriction) mark {
	k := mark{level: alarm.Watch, until: r.Expires, stands: longestRestriction, advice: askMeta}
	switch r.Type {
	case "RESTRICTED_BIZ_INITIATED_MESSAGING":
		k.level, k.stops = alarm.Act, true
		k.text = "Meta blocks this account's campaign messages"
	case "RESTRICTED_CUSTOMER_INITIATED_MESSAGING":
		k.level = alarm.Act
		k.text = "Meta blocks this account's answers to customers"
		k.advice = "Tell those who answer customers. " + askMeta
	case "RESTRICTED_UTILITY_TEMPLATES", "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES":
		k.text = "Meta blocks this account's utility templates"
	case "RESTRICTED_ADD_PHONE_NUMBER_ACTION":
		k.text = "Meta lets this account add no phone numbers"
	case "RESTRICTED_BUSINESS_INITIATED_CALLING", "RESTRICTED_USER_INITIATED_CALLING",
		"RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING":
		k.text = "Meta restricts calls of this account"
	default:
		k.text = "Meta restricts this account: " + cmp.Or(r.Type, "not told how")
	}
	if r.NumberHint != "" {
		k.text += " (number " + r.NumberHint + ")"
	}
	if r.Remedy != "" {
		k.advice = "Meta advises: " + strconv.Quote(wa.Clean(r.Remedy)) + ". " + k.advice
	}
	return k
}

// alert takes over an account alert. What Meta calls informational alarms nobody.
func (s standing) alert(u *wa.AccountAlert) {
	k := mark{at: u.At, stands: staleNews, advice: askMeta, text: "Meta warns of the account: " + alertText(u)}
	switch {
	case u.Status == "NONE" || u.Severity == "INFORMATIONAL":
		k = mark{at: u.At}
	case u.Severity == "CRITICAL":
		k.level = alarm.Act
	default:
		k.level = alarm.Watch
	}
	s.set(u.AccountID, "alert "+u.EntityType+" "+u.EntityID+" "+u.Type, k)
}

// name takes over Meta's word on a display name.
func (s standing) name(u *wa.NameUpdate) {
	k := mark{at: u.At}
	if u.Decision == "REJECTED" || u.Decision == "DECLINED" {
		k = mark{
			at: u.At, level: alarm.Watch, stands: staleNews,
			text:   fmt.Sprintf("Meta rejected the name “%s” of %s%s", excerpt(u.Name), phoneNumber(u.Display), bracketed(u.Reason)),
			advice: "People see the number instead of the name. Choose another name in WhatsApp Manager.",
		}
	}
	s.set(u.AccountID, "name "+wa.Digits(u.Display), k)
}

// security takes over that somebody touched a number's PIN.
func (s standing) security(u *wa.SecurityUpdate) {
	s.set(u.AccountID, "pin "+wa.Digits(u.Display), mark{
		at: u.At, level: alarm.Watch, stands: staleNews, text: "Number " + phoneNumber(u.Display) + ": " + securityWords(u.Event),
		advice: "If nobody of yours did it, somebody tries to take the number over: change its PIN in WhatsApp Manager, and look who has access.",
	})
}

// faultStands is how long an error that Meta reported by itself is an incident.
const faultStands = wa.Instant(time.Hour / time.Millisecond)

// fault takes over an error that Meta reported without a message.
func (s standing) fault(u *wa.Fault, at wa.Instant) {
	known := wa.Explain(u.Code, u.Title)
	s.set(u.AccountID, "fault "+strconv.Itoa(u.Code), mark{
		at: at, level: alarm.Watch, stands: faultStands, text: faultText(u), advice: known.Advice,
	})
}

func faultText(u *wa.Fault) string {
	return fmt.Sprintf("Meta reports error %d: %s%s", u.Code, cmp.Or(u.Title, wa.Explain(u.Code, "").Title), bracketed(u.Details))
}

func alertText(u *wa.AccountAlert) string {
	switch {
	case u.Description == "":
		return u.Type
	case u.Type == "":
		return u.Description
	}
	return u.Description + " (" + u.Type + ")"
}

// judgeAccounts raises what Meta holds against the accounts, and clears what has
// run out or was lifted.
func (m *Monitor) judgeAccounts(now wa.Instant, v *queue.View) {
	several, known := map[string]bool{}, map[string]bool{}
	for key := range m.standing {
		several[key.account], known[key.subject()] = true, true
	}
	m.incidents.clearOthers(now, "account", func(name string) bool { return known[name] || ownPause(name) })
	for key, k := range m.standing {
		over := k.over(now)
		f := finding{kind: "account", subject: key.subject(), text: k.text, advice: k.advice, until: k.until}
		switch {
		case k.level == alarm.OK || over:
			m.incidents.clear(now, subject{f.kind, f.subject})
			if now-k.at > longestRestriction && (over || k.level == alarm.OK) {
				delete(m.standing, key) // nothing older comes any more
			}
			continue
		case k.stops:
			f.advice = join(m.sendersOf(now, v, func(*live) bool { return true }).stopAll(), k.advice)
		}
		if len(several) > 1 {
			f.text = fmt.Sprintf("Account %s: %s", wa.Clean(key.account), f.text)
		}
		m.incidents.fact(now, k.level, f)
	}
}
