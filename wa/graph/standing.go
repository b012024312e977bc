package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tickwatch/wa"
)

// TemplateStanding is how a template stands, without what it says.
type TemplateStanding struct {
	wa.PolledTemplate
	Health wa.Health // without entities where it may not be asked for
}

// TemplateStanding reads how a template stands, by its id: one call, and a second
// one the first time that its health may not be asked for.
func (c *Client) TemplateStanding(ctx context.Context, id int64) (TemplateStanding, error) {
	nodes, err := c.gather("template", func(fields []string) ([]node, error) {
		n, err := c.getNode(ctx, strconv.FormatInt(id, 10), fields)
		return []node{n}, err
	}, []string{"id", "name", "language", "status", "category", "quality_score"}, []string{healthField})
	if err != nil {
		return TemplateStanding{}, fmt.Errorf("reading how the template %d stands: %w", id, err)
	}
	n := nodes[0]
	t := TemplateStanding{Health: health(n), PolledTemplate: wa.PolledTemplate{
		ID: id, Name: text(n["name"]), Language: text(n["language"]), Category: text(n["category"]),
		Status: text(n["status"]), Quality: quality(n["quality_score"]),
	}}
	if t.Name == "" || t.Status == "" {
		return TemplateStanding{}, fmt.Errorf("reading how the template %d stands: %w", id, c.unreadable())
	}
	return t, nil
}

// compareDays is the shortest look-back that a comparison takes (whatsapp.md §5).
const compareDays = 7

// Compare puts two templates of an account against each other over the seven days
// before a moment. Meta tells only which of them people block less, and each one's
// top block reason; both must have been sent at least 1,000 times. Its error is a
// *wa.Refusal where they were not.
func (c *Client) Compare(ctx context.Context, id, other int64, until time.Time) (wa.Comparison, error) {
	path := "/" + strconv.FormatInt(id, 10) + "/compare"
	body, err := c.get(ctx, path, url.Values{
		"template_ids": {fmt.Sprintf("[%d]", other)},
		"start":        {strconv.FormatInt(until.AddDate(0, 0, -compareDays).Unix(), 10)},
		"end":          {strconv.FormatInt(until.Unix(), 10)},
	})
	if err != nil {
		return wa.Comparison{}, fmt.Errorf("comparing the templates %d and %d: %w", id, other, err)
	}
	var answer struct {
		Data []struct {
			Metric  string            `json:"metric"`
			Order   []json.RawMessage `json:"order_by_relative_metric"`
			Numbers []keyed           `json:"number_values"`
			Texts   []keyed           `json:"string_values"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Data == nil {
		return wa.Comparison{}, fmt.Errorf("comparing the templates %d and %d: %w", id, other, c.unreadable())
	}
	out := wa.Comparison{Template: id, Other: other, Days: compareDays}
	of := func(k keyed) *wa.Compared {
		if printed(k.Key) == strconv.FormatInt(id, 10) {
			return &out.Its
		}
		return &out.Others
	}
	for _, d := range answer.Data {
		switch strings.ToUpper(d.Metric) {
		case "BLOCK_RATE":
			if len(d.Order) == 2 {
				out.BlockedLess, _ = strconv.ParseInt(printed(d.Order[0]), 10, 64)
			}
		case "MESSAGE_SENDS":
			for _, k := range d.Numbers {
				of(k).Sends, _ = strconv.ParseInt(printed(k.Value), 10, 64)
			}
		case "TOP_BLOCK_REASON":
			for _, k := range d.Texts {
				of(k).Reason = text(k.Value)
			}
		}
	}
	return out, nil
}

// keyed is one template's value of a metric.
type keyed struct {
	Key   json.RawMessage `json:"key"`
	Value json.RawMessage `json:"value"`
}
