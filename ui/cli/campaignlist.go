package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type campaignListCmd struct {
	Filter string `arg:"" optional:"" help:"Only those with this in their name or id." placeholder:"TEXT"`
	All    bool   `help:"Those that other systems send, too."`
	JSON   bool   `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (campaignListCmd) Help() string {
	return "Examples:\n  tickwatch campaign list\n  tickwatch campaign list autumn --all --json | jq -r '.campaigns[].id'\n\nThe newest come first."
}

// campaignListing is what `campaign list --json` prints.
type campaignListing struct {
	Campaigns []link.Card `json:"campaigns"`
	Known     int         `json:"known"` // that the filter fits, of our own and of other systems
}

// Run lists the campaigns.
func (c *campaignListCmd) Run(ctx context.Context, a *app) error {
	var cards link.Cards
	if err := a.call(ctx, link.VerbCampaigns, link.CampaignsArgs{Filter: c.Filter}, &cards); err != nil {
		return err
	}
	found := cards.Campaigns
	if !c.All {
		found = slices.DeleteFunc(slices.Clone(found), func(k link.Card) bool { return k.Origin != "own" })
	}
	if c.JSON {
		return a.json(campaignListing{append([]link.Card{}, found...), cards.Known})
	}
	return a.print(c.text(found, &cards, time.Local))
}

func (c *campaignListCmd) text(found []link.Card, cards *link.Cards, zone *time.Location) string {
	var b strings.Builder
	others := len(cards.Campaigns) - len(found)
	switch {
	case len(found) == 0 && c.Filter != "":
		fmt.Fprintf(&b, "No campaign of our own has %s in its name.\n", wa.Clean(c.Filter))
	case len(found) == 0:
		b.WriteString("No campaign of our own yet: tickwatch campaign import makes one of a list.\n")
	default:
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "ID\tNAME\tSTATE\tSTARTED\tMESSAGES\tARRIVED\t")
		for i := range found {
			k := &found[i]
			started, arrived := "-", "-"
			if k.StartedAt != nil {
				started = k.StartedAt.In(zone).Format("2 Jan 15:04")
			}
			if k.Settled != nil {
				arrived = shareText(*k.Settled)
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", wa.Clean(k.ID), wa.Clean(k.Name), k.State, started, amount(k.Messages), arrived, strings.ToUpper(k.Verdict))
		}
		_ = w.Flush() // to a strings.Builder
	}
	if others > 0 {
		fmt.Fprintf(&b, "%s more, sent by other systems: --all lists them.\n", amount(int64(others)))
	}
	if rest := cards.Known - len(cards.Campaigns); rest > 0 {
		fmt.Fprintf(&b, "%s older, not listed: give a part of the name.\n", amount(int64(rest)))
	}
	return b.String()
}

type campaignShowCmd struct {
	campaignArg
	JSON bool `name:"json" help:"Print the campaign as one JSON document, as status --json has it."`
}

// Help gives an example.
func (campaignShowCmd) Help() string {
	return "Example:\n  tickwatch campaign show autumn\n\nIt says where its messages are, how fast they go out, and what keeps them back. How well they arrive: tickwatch status --campaign autumn."
}

// Run shows one campaign.
func (c *campaignShowCmd) Run(ctx context.Context, a *app) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	snapshot, err := s.status(ctx, string(c.ID))
	if err != nil {
		return err
	}
	if len(snapshot.Campaigns) != 1 {
		return fmt.Errorf("there is nothing to show of %s yet: `tickwatch campaign list` lists what there is", c.name())
	}
	if c.JSON {
		return a.json(snapshot.Campaigns[0])
	}
	return a.print(campaignText(snapshot, &snapshot.Campaigns[0], time.Local))
}

// campaignText is where a campaign stands, for people.
func campaignText(s *link.Snapshot, c *link.Campaign, zone *time.Location) string {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s "+format+"\n", append([]any{label}, args...)...)
	}
	line("Campaign", "%s (%s)", wa.Clean(c.Name), wa.Clean(c.ID))
	state := strings.ToUpper(c.State)
	switch {
	case c.Origin != "own":
		state += ", sent by another system"
	case c.State == "running" && slices.ContainsFunc(s.Gates, func(g link.Gate) bool { return g.State == link.GatePaused && stops(&g, c) }):
		state = "PAUSED"
	}
	line("State", "%s", state)
	line("Template", "%s", templateText(c.Template))
	if len(c.Numbers) > 0 {
		line("From", "%s", wa.Clean(strings.Join(c.Numbers, ", ")))
	}
	if c.StartedAt != nil {
		line("Started", "%s", momentText(*c.StartedAt, zone))
	}
	if w := c.Sending; w != nil {
		sendingLines(line, w, zone)
	}
	for _, g := range s.Gates {
		if g.State == link.GatePaused && concerns(&g, c) {
			line("Paused", "%s%s, since %s", gateText(g.Scope, g.ID), pausedBy(&g, zone), momentText(g.Since, zone))
		}
	}
	b.WriteString("Messages   " + amount(c.Counts.Messages) + "\n")
	for _, n := range queueCounts(&c.Counts) {
		fmt.Fprintf(&b, "  %9s  %s\n", amount(n.count), n.what)
	}
	return b.String()
}

func sendingLines(line func(label, format string, args ...any), w *link.Sending, zone *time.Location) {
	pace := paceText(w.Pace)
	if w.PerSecond > 0 && w.Held == "" { // what it was before it was held fades for a while
		pace += fmt.Sprintf(", now %.1f a second", w.PerSecond)
	}
	if w.OpenRequests > 0 {
		pace += fmt.Sprintf(", %s on their way to Meta", amount(int64(w.OpenRequests)))
	}
	line("Pace", "%s", pace)
	if r := w.Ramp; r != nil && r.Step >= 0 && r.Step < len(r.Shares) {
		line("Ramp", "step %d of %d, up to %s %% of the list", r.Step+1, len(r.Shares), strconv.FormatFloat(100*r.Shares[r.Step], 'f', -1, 64))
	}
	if w.StartsAt != nil {
		line("Starts", "%s", momentText(*w.StartsAt, zone))
	}
	if w.EndsAt != nil {
		line("Ends", "about %s, at this pace", momentText(*w.EndsAt, zone))
	}
	if w.ExpiresAt != nil {
		line("Expires", "%s: what waits then is cancelled", momentText(*w.ExpiresAt, zone))
	}
	if w.Held != "" {
		line("Waits", "%s", wa.Clean(w.Held))
	}
}

// concerns tells whether a gate can keep a campaign from sending.
func concerns(g *link.Gate, c *link.Campaign) bool {
	switch g.Scope {
	case link.ScopeAll:
		return true
	case link.ScopeChannel:
		return g.ID == channels[0]
	case link.ScopeNumber:
		return slices.Contains(c.Numbers, g.ID)
	}
	return g.ID == c.ID
}

// stops tells whether a gate, when it is closed, keeps all of a campaign from
// sending.
func stops(g *link.Gate, c *link.Campaign) bool {
	return concerns(g, c) && (g.Scope != link.ScopeNumber || len(c.Numbers) == 1)
}

type queueCount struct {
	count int64
	what  string
}

// queueCounts are the places where messages of a campaign are, without the empty ones.
func queueCounts(n *link.Counts) (all []queueCount) {
	for _, q := range [...]queueCount{
		{n.Waiting, "waiting"},
		{n.SetAside, "set aside"},
		{n.Claimed, "being sent"},
		{n.Unknown, "may have gone out: see tickwatch resolve --help"},
		{n.HandedOver, "with Meta"},
		{n.Delivered, "  of these arrived"},
		{n.Read, "  of these read"},
		{n.Failed - n.Refused, "  of these failed"},
		{n.Refused, "refused by Meta at once"},
		{n.Cancelled, "cancelled"},
	} {
		if q.count > 0 {
			all = append(all, q)
		}
	}
	return all
}
