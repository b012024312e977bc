package monitor

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"tickwatch/store"
	"tickwatch/wa"
)

// past is how numbers and templates came to stand as they do, told by our own history
// in the order of Meta's clock. It follows from the store's notices alone.
type past struct {
	numbers   map[string]*numberPast // by digits
	accounts  map[string]*limitPast  // limits that were told of a whole account
	templates map[int64]*templatePast
	compared  map[int64]compared // by template: the newest word
}

// compared is Meta's word on a template and another one, and when it was asked.
type compared struct {
	wa.Comparison
	at wa.Instant
}

type limitPast struct {
	limit, was wa.Limit
	fellAt     wa.Instant // 0 = it is not lower than before
}

type numberPast struct {
	limitPast
	qualityWas   wa.Quality
	qualitySince wa.Instant
	status       string
	statusSince  wa.Instant
	mpsWas       float64
	mpsFellAt    wa.Instant // 0 = it is not lower than before
}

type templatePast struct {
	next         string     // category that Meta will give it; "" = none
	nextAt       wa.Instant // when; 0 = not told
	toldAt       wa.Instant // when that was told
	category     string
	categoryWas  string
	categoryAt   wa.Instant // when it changed; 0 = it has not
	editedAt     wa.Instant
	quality      wa.Quality
	qualityWas   wa.Quality
	qualitySince wa.Instant
	pauses       int // that Meta has told of
	paused       bool
}

// readPast brings the past up to date, if there is news. m.reading is held.
func (m *Monitor) readPast(ctx context.Context) {
	m.mu.Lock()
	old := m.pastOld
	m.pastOld = false
	m.mu.Unlock()
	if !old {
		return
	}
	news, err := m.o.Store.Notices(ctx, maxStanding, nil,
		store.NoticeNumber, store.NoticeCapability, store.NoticePolled, store.NoticeTemplate, store.NoticeEdit, store.NoticeCompared)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.o.Log.Error("the history of numbers and templates could not be read", "error", err)
		m.pastOld = true
		return
	}
	m.past = pastOf(news)
}

// pastOf draws the past from notices in any order.
func pastOf(news []store.Notice) past {
	p := past{map[string]*numberPast{}, map[string]*limitPast{}, map[int64]*templatePast{}, map[int64]compared{}}
	news = slices.Clone(news)
	slices.SortFunc(news, func(a, b store.Notice) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Seq, b.Seq)) })
	for i := range news {
		at := news[i].At
		switch u := news[i].News.(type) {
		case wa.NumberUpdate:
			p.number(u.Display).told(&u, at)
		case wa.CapabilityUpdate:
			account := entry(p.accounts, u.AccountID)
			account.set("", cmp.Or(u.Limit, u.NumberLimit), at)
		case wa.Changed:
			switch {
			case u.Template != 0:
				entry(p.templates, u.Template).found(&u, at)
			case u.Number != "":
				p.number(u.Display).found(&u, at)
			}
		case wa.TemplateUpdate:
			entry(p.templates, u.ID).told(&u, at)
		case wa.Comparison:
			p.compared[u.Template] = compared{u, at}
		case wa.TemplateEdit:
			entry(p.templates, u.ID).editedAt = at
		}
	}
	return p
}

func (p *past) number(display string) *numberPast { return entry(p.numbers, wa.Digits(display)) }

// entry is the entry of a map, made where there is none.
func entry[K comparable, V any](all map[K]*V, key K) *V {
	if all[key] == nil {
		all[key] = new(V)
	}
	return all[key]
}

// set takes over a limit; was is what Meta says that it was, where it does.
func (l *limitPast) set(was, is wa.Limit, at wa.Instant) {
	if is == "" {
		return
	}
	was = cmp.Or(was, l.limit)
	switch {
	case is.Below(was):
		l.was, l.fellAt = was, at
	case was.Below(is):
		l.was, l.fellAt = "", 0
	}
	l.limit = is
}

func (n *numberPast) told(u *wa.NumberUpdate, at wa.Instant) {
	n.set(u.OldLimit, u.Limit, at)
	switch u.Event {
	case "DOWNGRADE": // the older event, which may name no limits
		n.fellAt = at
		if u.Limit == "" {
			n.was = "" // what is known is of an earlier fall
		}
	case "UPGRADE":
		n.was, n.fellAt = "", 0
	case "THROUGHPUT_UPGRADE":
		n.mpsWas, n.mpsFellAt = 0, 0
	case "FLAGGED":
		n.stood(u.Event, at)
	case "UNFLAGGED":
		n.stood("CONNECTED", at)
	}
}

func (n *numberPast) stood(status string, at wa.Instant) {
	if n.status != status {
		n.status, n.statusSince = status, at
	}
}

func (n *numberPast) found(u *wa.Changed, at wa.Instant) {
	switch u.What {
	case wa.ChangedLimit:
		n.set(wa.Limit(u.Was), wa.Limit(u.Is), at)
	case wa.ChangedStatus:
		n.stood(u.Is, at)
	case wa.ChangedQuality:
		n.qualityWas, n.qualitySince = wa.Quality(u.Was), at
	case wa.ChangedThroughput:
		was, _ := strconv.ParseFloat(u.Was, 64)
		is, _ := strconv.ParseFloat(u.Is, 64)
		n.mpsWas, n.mpsFellAt = 0, 0
		if is < was {
			n.mpsWas, n.mpsFellAt = was, at
		}
	}
}

func (t *templatePast) told(u *wa.TemplateUpdate, at wa.Instant) {
	t.sorted(u.PreviousCategory, u.Category, at)
	if u.NextCategory != "" {
		t.next, t.nextAt, t.toldAt = u.NextCategory, u.NextCategoryAt, at
	}
	if t.next != "" && t.next == u.Category {
		t.next = ""
	}
	t.rated(u.PreviousQuality, u.Quality, at)
	if u.Event != "" {
		t.pause(u.Event)
	}
	switch u.InfoTitle {
	case "FIRST_PAUSE":
		t.pauses = 1
	case "SECOND_PAUSE":
		t.pauses = 2
	}
}

func (t *templatePast) found(u *wa.Changed, at wa.Instant) {
	switch u.What {
	case wa.ChangedCategory:
		t.sorted(u.Was, u.Is, at)
		if t.next == u.Is {
			t.next = ""
		}
	case wa.ChangedQuality:
		t.rated(wa.Quality(u.Was), wa.Quality(u.Is), at)
	case wa.ChangedStatus:
		t.pause(u.Is)
	}
}

func (t *templatePast) sorted(was, is string, at wa.Instant) {
	if is == "" {
		return
	}
	if was = cmp.Or(was, t.category); was != "" && was != is {
		t.categoryWas, t.categoryAt = was, at
	}
	t.category = is
}

func (t *templatePast) rated(was, is wa.Quality, at wa.Instant) {
	if is == "" || is == t.quality {
		return
	}
	t.qualityWas, t.quality, t.qualitySince = cmp.Or(was, t.quality), is, at
}

func (t *templatePast) pause(status string) {
	if paused := status == "PAUSED"; paused != t.paused {
		t.paused = paused
		if paused {
			t.pauses++
		}
	}
}

// changedKind is the kind of the event that a poll's find makes.
func changedKind(u *wa.Changed) string {
	switch {
	case u.Template != 0:
		return "template"
	case u.Number != "":
		return "number"
	}
	return "account"
}

// changedWords tells what a poll has found, and that it was a poll.
func changedWords(u *wa.Changed) string {
	var text, was string
	switch u.What {
	case wa.ChangedLimit:
		text = limitWords(wa.Limit(u.Is))
		if u.Was != "" {
			was = strings.TrimPrefix(limitWords(wa.Limit(u.Was)), "limit ")
		}
	case wa.ChangedThroughput:
		text, was = "up to "+u.Is+" messages a second", u.Was
	case wa.ChangedHealth:
		text = healthWords(u.Is) + bracketed(u.Why)
	default:
		text, was = u.What+" "+u.Is, u.Was
	}
	if was != "" {
		text += ", was " + was
	}
	text += " (tickwatch asked)"
	switch {
	case u.Template != 0:
		return templateName(u.Name, u.Language, u.Template) + ": " + text
	case u.Number != "":
		return cmp.Or(display(wa.Digits(u.Display)), u.Number) + ": " + text
	}
	return strings.ToLower(u.Entity) + ": " + text
}

func healthWords(can string) string {
	switch can {
	case wa.CanSend:
		return "nothing stands in the way of sending"
	case wa.CanSendSome:
		return "may not send everything"
	case wa.CannotSend:
		return "cannot send"
	}
	return "sending: " + can
}
