package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"tickwatch/wa"
)

// Number is a business phone number as Meta describes it. Its times (Since, …)
// are not set: the caller knows when it asked.
type Number struct {
	wa.Number
	VerifiedName string
	Throughput   string // STANDARD, HIGH, …; open; "" = not told
	OnApp        bool   // it is used in the WhatsApp Business app too
	Health       wa.Health
}

// PerSecond is the number's throughput in messages a second, inbound and outbound
// together (whatsapp.md §4); 0 where Meta does not say.
func (n *Number) PerSecond() int {
	switch {
	case n.OnApp:
		return 20
	case n.Throughput == "STANDARD":
		return 80
	case n.Throughput == "HIGH":
		return 1000
	}
	return 0
}

// Fields of a number. One of the risky ones that this token or this version may
// not ask for would cost all of them.
const (
	limitField    = "whatsapp_business_manager_messaging_limit"
	oldLimitField = "messaging_limit_tier"
	healthField   = "health_status"
)

var (
	plainFields = []string{"id", "display_phone_number", "verified_name", "quality_rating"}
	riskyFields = []string{"status", "throughput", limitField, "is_on_biz_app", healthField}
)

// Numbers lists the phone numbers of an account.
func (c *Client) Numbers(ctx context.Context, waba string) ([]Number, error) {
	numbers, err := c.numbers(func(fields []string) ([]node, error) {
		return c.getList(ctx, waba, "phone_numbers", url.Values{"fields": {strings.Join(fields, ",")}})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the phone numbers: %w", err)
	}
	return numbers, nil
}

// Number reads one phone number by its phone_number_id.
func (c *Client) Number(ctx context.Context, id string) (Number, error) {
	numbers, err := c.numbers(func(fields []string) ([]node, error) {
		n, err := c.getNode(ctx, id, fields)
		return []node{n}, err
	})
	if err != nil {
		return Number{}, fmt.Errorf("reading the phone number %s: %w", wa.Clean(id), err)
	}
	if len(numbers) == 0 {
		return Number{}, fmt.Errorf("reading the phone number %s: %w", wa.Clean(id), c.unreadable())
	}
	return numbers[0], nil
}

// numbers reads phone numbers, and the older field of the limit where the newer
// one is not there.
func (c *Client) numbers(fetch func([]string) ([]node, error)) ([]Number, error) {
	nodes, err := c.gather("number", fetch, plainFields, riskyFields)
	if err != nil {
		return nil, err
	}
	numbers := make([]Number, 0, len(nodes))
	limitless := false
	for _, n := range nodes {
		if number := phoneNumber(n); number.ID != "" {
			numbers = append(numbers, number)
			limitless = limitless || number.Limit == ""
		}
	}
	if !limitless {
		return numbers, nil
	}
	if len(c.denied.without("number", []string{oldLimitField})) == 0 {
		return numbers, nil
	}
	older, err := fetch([]string{"id", oldLimitField})
	switch {
	case forbidden(err):
		c.denied.add("number", oldLimitField)
	case err != nil:
		return nil, err
	}
	for _, n := range older {
		for i := range numbers {
			if numbers[i].ID == text(n["id"]) && numbers[i].Limit == "" {
				numbers[i].Limit = wa.ParseLimit(printed(n[oldLimitField]))
			}
		}
	}
	return numbers, nil
}

func phoneNumber(n node) Number {
	var throughput struct {
		Level string `json:"level"`
	}
	_ = json.Unmarshal(n["throughput"], &throughput) // not told, then
	return Number{
		Number: wa.Number{
			ID:      text(n["id"]),
			Display: wa.Digits(text(n["display_phone_number"])),
			Quality: quality(n["quality_rating"]),
			Status:  text(n["status"]),
			Limit:   wa.ParseLimit(printed(n[limitField])),
		},
		VerifiedName: text(n["verified_name"]),
		Throughput:   throughput.Level,
		OnApp:        string(n["is_on_biz_app"]) == "true",
		Health:       health(n),
	}
}

// Health reads the health of a number, a template or an account by its id.
func (c *Client) Health(ctx context.Context, id string) (wa.Health, error) {
	n, err := c.getNode(ctx, id, []string{healthField})
	if err != nil {
		return wa.Health{}, fmt.Errorf("reading the health of %s: %w", wa.Clean(id), err)
	}
	h := health(n)
	if h.CanSend == "" {
		return wa.Health{}, fmt.Errorf("reading the health of %s: %w", wa.Clean(id), c.unreadable())
	}
	return h, nil
}

// health is a node's health_status; a detail of an unexpected type is left out.
func health(n node) (h wa.Health) {
	_ = json.Unmarshal(n[healthField], &h)
	return h
}

// Subscription is an app that gets the account's webhooks.
type Subscription struct {
	App      string // its id
	Name     string // foreign text
	Callback string // where its webhooks go instead of the app's own address; "" = there
}

// Subscriptions lists the apps that get the account's webhooks. None means that
// nobody hears what becomes of a message.
func (c *Client) Subscriptions(ctx context.Context, waba string) ([]Subscription, error) {
	nodes, err := c.getList(ctx, waba, "subscribed_apps", url.Values{})
	if err != nil {
		return nil, fmt.Errorf("reading the subscribed apps: %w", err)
	}
	subscriptions := make([]Subscription, 0, len(nodes))
	for _, n := range nodes {
		var app node
		if json.Unmarshal(n["whatsapp_business_api_data"], &app) != nil {
			continue
		}
		subscriptions = append(subscriptions, Subscription{
			App: cmp.Or(printed(app["id"]), "?"), Name: text(app["name"]), Callback: text(n["override_callback_uri"]),
		})
	}
	return subscriptions, nil
}
