package link

import (
	"encoding/json"
	"slices"
	"time"
)

// CampaignsArgs asks for the campaigns to choose from, also those that a
// Snapshot has no room for.
type CampaignsArgs struct {
	Filter string `json:"filter,omitempty"` // part of the name or id, in either case; "" = all
}

// MaxCards bounds the answer to a CampaignsArgs: those with the latest messages.
const MaxCards = 200

// Cards are campaigns to choose from, newest first.
type Cards struct {
	Campaigns []Card `json:"campaigns"`
	Known     int    `json:"known"` // campaigns that the filter fits, shown or not
}

// Card is as much of a campaign as it takes to choose it.
type Card struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Origin    string     `json:"origin"`
	State     string     `json:"state"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	Verdict   string     `json:"verdict"` // the worse one of delivery and reports
	Settled   *float64   `json:"settled,omitempty"`
	Messages  int64      `json:"messages"`
	Trend     []Minute   `json:"trend"`
}

// CardOf is a campaign's card.
func CardOf(c *Campaign) Card {
	card := Card{
		ID: c.ID, Name: c.Name, Origin: c.Origin, State: c.State, StartedAt: c.StartedAt, Verdict: c.First30.Verdict,
		Settled: c.First30.Settled, Messages: c.Counts.Messages, Trend: c.Trend,
	}
	if Rank(c.Reports.Verdict) > max(Rank(card.Verdict), Rank(VerdictUnsure)) {
		card.Verdict = c.Reports.Verdict
	}
	return card
}

// Rank orders verdicts by how bad they are; unsure is better than watch, and a
// word that is none is the least.
func Rank(verdict string) int {
	return slices.Index([]string{VerdictOK, VerdictUnsure, VerdictWatch, VerdictAct}, verdict)
}

// MarshalJSON writes lists as arrays, never null, and times in UTC.
func (c Cards) MarshalJSON() ([]byte, error) {
	type plain Cards
	c.Campaigns = each(c.Campaigns, func(k *Card) {
		k.StartedAt, k.Settled = utc(k.StartedAt), known(k.Settled)
		k.Trend = each(k.Trend, func(m *Minute) { m.At = m.At.UTC() })
	})
	return json.Marshal(plain(c))
}
