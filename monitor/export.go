package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

const (
	// scannedAtOnce bounds the posts that one page of an export looks at, so that a
	// campaign that few of them speak of does not keep the console waiting.
	scannedAtOnce = 4000
	// actionsAtOnce bounds the actions that one page holds, and deedsAtOnce what is
	// read of the journal at a time.
	actionsAtOnce = 500
	deedsAtOnce   = 50
	// endOfTime is later than anything.
	endOfTime = wa.Instant(1 << 62)
)

// errPageFull ends the reading of a page.
var errPageFull = errors.New("the page is full")

// Export draws up one page of an export. It remembers nothing between pages.
//
// The lines come in the order in which posts were taken in and our own side did
// what its journal says, each action before the first of these that is later. With
// a campaign only the posts that hold news of it are given, each as a whole, what
// our side did for it, and the actions on it and on its alarms; news of templates,
// numbers and the account is nobody's and left out.
func (m *Monitor) Export(ctx context.Context, a link.ExportArgs) (link.ExportPage, error) {
	p := &exportPage{m: m, args: a, mark: a.From}
	if a.Kind != link.ExportRecording && a.Kind != link.ExportWebhooks {
		return link.ExportPage{}, &link.Fault{Kind: link.FaultUsage, Text: fmt.Sprintf("%q cannot be exported line by line: there are %s and %s", wa.Clean(a.Kind), link.ExportRecording, link.ExportWebhooks)}
	}
	if a.Campaign != "" {
		m.mu.Lock()
		l, err := m.find(a.Campaign)
		m.mu.Unlock()
		if err != nil {
			return link.ExportPage{}, err
		}
		p.only = l
	}
	oldest, newest, err := m.o.Store.PostRange(ctx)
	if err != nil {
		return link.ExportPage{}, err
	}
	if a.From == (link.ExportMark{}) {
		p.mark.End = newest
		if a.Kind == link.ExportRecording {
			if p.mark.Last, err = m.o.Store.LastDeed(ctx); err != nil {
				return link.ExportPage{}, err
			}
		}
		m.mu.Lock()
		if m.listens {
			p.mark.At = int64(wa.At(m.o.Now()))
		}
		m.mu.Unlock()
		m.o.Log.Info("raw bodies are exported", "what", a.Kind, "campaign", wa.Clean(a.Campaign))
	}
	err = p.fill(ctx)
	if err != nil && !errors.Is(err, errPageFull) {
		return link.ExportPage{}, err
	}
	out := link.ExportPage{Text: p.text, Lines: p.lines, Share: 1}
	if err != nil {
		out.Next = &p.mark
		if all := p.mark.End - oldest + 1; all > 0 {
			out.Share = min(max(float64(p.mark.Post-oldest+1)/float64(all), 0), 1)
		}
	}
	return out, nil
}

// exportPage is a page as it fills.
type exportPage struct {
	m       *Monitor
	args    link.ExportArgs
	only    *live // nil = everything
	mark    link.ExportMark
	text    []byte
	lines   int64
	scanned int
	actions []store.Action // those that are not given yet
	deeds   []store.JournalEntry
}

// fill ends with errPageFull when more is to come.
func (p *exportPage) fill(ctx context.Context) (err error) {
	if p.args.Kind == link.ExportRecording {
		if p.actions, err = p.m.o.Store.Actions(ctx, p.mark.Action, actionsAtOnce); err != nil {
			return err
		}
		if err = p.readDeeds(ctx); err != nil {
			return err
		}
	}
	if err := p.m.o.Store.EachPost(ctx, p.mark.Post, func(post store.RawPost) error {
		if post.ID > p.mark.End {
			return errEndOfPosts
		}
		if err := p.deedsBefore(ctx, post.ID); err != nil {
			return err
		}
		if err := p.actionsBefore(ctx, post.ReceivedAt); err != nil {
			return err
		}
		return p.post(ctx, &post)
	}); err != nil && !errors.Is(err, errEndOfPosts) {
		return err
	}
	if err := p.deedsBefore(ctx, math.MaxInt64); err != nil {
		return err
	}
	if err := p.actionsBefore(ctx, endOfTime); err != nil || p.args.Kind != link.ExportRecording || p.mark.At == 0 {
		return err
	}
	return p.own(wa.Instant(p.mark.At), Own{Kind: OwnEnd})
}

var errEndOfPosts = errors.New("what came later does not belong to the export")

func (p *exportPage) post(ctx context.Context, post *store.RawPost) error {
	if p.scanned++; p.scanned > scannedAtOnce {
		return errPageFull
	}
	if p.only != nil {
		news := p.m.o.Decode(post.Source, post.Body, post.ReceivedAt)
		if ours, err := p.m.o.Store.Concerns(ctx, p.only.ID, news); err != nil || !ours {
			p.mark.Post = post.ID
			return err
		}
	}
	l := Line{ReceivedAt: post.ReceivedAt, Source: post.Source, Body: post.Body}
	if err := p.line(&l); err != nil {
		return err
	}
	p.mark.Post = post.ID
	return nil
}

// line writes a line, or as much of it as there is room for; then it is
// errPageFull, and the line is not done with.
func (p *exportPage) line(l *Line) error {
	line := l.Append(nil)
	if p.mark.Cut > 0 && p.mark.Size != len(line) {
		return errors.New("what was exported changed meanwhile: export again")
	}
	room := link.MaxExportText - len(p.text)
	rest := line[p.mark.Cut:]
	if len(rest) > room {
		p.text = append(p.text, rest[:room]...)
		p.mark.Cut, p.mark.Size = p.mark.Cut+room, len(line)
		return errPageFull
	}
	p.text = append(p.text, rest...)
	p.mark.Cut, p.mark.Size = 0, 0
	p.lines++
	return nil
}

// readDeeds reads on in the journal.
func (p *exportPage) readDeeds(ctx context.Context) (err error) {
	campaign := int64(0)
	if p.only != nil {
		campaign = p.only.ID
	}
	p.deeds, err = p.m.o.Store.Deeds(ctx, campaign, p.mark.Deed, p.mark.Last, deedsAtOnce)
	return err
}

// deedsBefore writes what our own side did before a post.
func (p *exportPage) deedsBefore(ctx context.Context, post int64) error {
	for len(p.deeds) > 0 && p.deeds[0].Post < post {
		d := &p.deeds[0]
		if p.only == nil || d.Gate == nil || d.Gate.Scope != link.ScopeCampaign || d.Gate.ID == p.only.Key {
			if err := p.actionsBefore(ctx, d.At); err != nil {
				return err
			}
			if err := p.own(d.At, &d.Deed); err != nil {
				return err
			}
		}
		p.mark.Deed = d.ID
		if p.deeds = p.deeds[1:]; len(p.deeds) == 0 {
			if err := p.readDeeds(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// own writes a line of our own side: an Own, or a store.Deed.
func (p *exportPage) own(at wa.Instant, own any) error {
	body, err := json.Marshal(own)
	if err != nil {
		return fmt.Errorf("writing a line of our own: %w", err)
	}
	return p.line(&Line{ReceivedAt: at, Source: OwnSource, Body: body})
}

// actionsBefore writes the actions up to a moment.
func (p *exportPage) actionsBefore(ctx context.Context, end wa.Instant) error {
	for len(p.actions) > 0 && p.actions[0].At < end {
		a := &p.actions[0]
		own := Own{Kind: OwnAction, Operator: a.Operator, Verb: a.Verb, Target: a.Target, Reason: a.Reason, Effect: a.Effect}
		about, err := p.about(ctx, a, &own)
		if err != nil {
			return err
		}
		if about {
			if err := p.own(a.At, own); err != nil {
				return err
			}
		}
		p.mark.Action = a.ID
		if p.actions = p.actions[1:]; len(p.actions) == 0 {
			if p.actions, err = p.m.o.Store.Actions(ctx, p.mark.Action, actionsAtOnce); err != nil {
				return err
			}
		}
	}
	return nil
}

// about names the alarm that was acknowledged or quietened, and tells whether the action
// belongs to the export.
func (p *exportPage) about(ctx context.Context, a *store.Action, own *Own) (bool, error) {
	if a.Verb != link.VerbAck && a.Verb != link.VerbSnooze {
		return p.only == nil || a.Target == p.only.Key, nil
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(a.Target, "a"), 10, 64)
	if err != nil {
		return p.only == nil, nil //nolint:nilerr // an alarm that nobody knows is none of the campaign's
	}
	alarm, err := p.m.o.Store.Alarm(ctx, id)
	if err != nil {
		return false, err
	}
	if alarm.ID != 0 {
		own.Alarm = &OwnMark{alarm.Kind, alarm.Subject}
	}
	return p.only == nil || alarm.Campaign == p.only.Key, nil
}
