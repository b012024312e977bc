package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// campaignID is the campaign of these tests, as the callback data carries it.
const campaignID = "autumn"

type object = map[string]any

// crowd makes up what Meta reports of a campaign: its first 30 minutes are over
// for more than half an hour, and the last news of it is older than the screen's
// trend looks back, so that its figures depend on the webhooks alone and not on
// the time of day.
type crowd struct {
	rand     *rand.Rand
	start    int64 // Unix seconds
	messages int   // made up so far
}

func newCrowd(seed uint64) *crowd {
	const ago = 100 * time.Minute
	return &crowd{rand: rand.New(rand.NewPCG(seed, 7)), start: time.Now().Add(-ago).Unix()}
}

// sending lasts for 45 minutes, and everything that happens to a message does
// within 40: 15 minutes ago all was over.
const (
	sendingSeconds = 45 * 60
	fateSeconds    = 40 * 60
)

// webhooks makes up all that Meta tells of n more messages, in no order: statuses
// in batches, some of them twice, opt-outs that may come before the message they
// answer, news of templates and numbers, and what nobody understands.
func (c *crowd) webhooks(n int) (bodies [][]byte) {
	var statuses, contacts []object
	for range n {
		c.messages++
		own, contact := c.fate(c.messages)
		for _, s := range own {
			statuses, contacts = append(statuses, s), append(contacts, contact)
			if c.rand.IntN(50) == 0 {
				statuses, contacts = append(statuses, s), append(contacts, contact)
			}
		}
		if c.rand.IntN(20) == 0 {
			bodies = append(bodies, c.stop(c.messages))
		}
	}
	c.rand.Shuffle(len(statuses), func(i, j int) {
		statuses[i], statuses[j] = statuses[j], statuses[i]
		contacts[i], contacts[j] = contacts[j], contacts[i]
	})
	for len(statuses) > 0 {
		k := min(1+c.rand.IntN(25), len(statuses))
		value := valueOf("statuses", statuses[:k])
		if c.rand.IntN(2) == 0 {
			value["contacts"] = contacts[:k]
		}
		bodies = append(bodies, envelope("messages", value))
		statuses, contacts = statuses[k:], contacts[k:]
	}
	bodies = append(bodies, c.news()...)
	c.rand.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	return bodies
}

func wamidOf(message int) string {
	return "wamid." + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "HBgM%010d", message)) + "/+" // a slash, which Meta escapes
}

func phoneOf(message int) string { return fmt.Sprintf("3519%08d", message) }

// fate is everything that is told of one message.
func (c *crowd) fate(message int) (statuses []object, contact object) {
	clock := c.start + c.rand.Int64N(sendingSeconds)
	status := func(word string, after int64) object {
		s := object{
			"id": wamidOf(message), "status": word, "timestamp": strconv.FormatInt(clock+after, 10),
			"recipient_id": phoneOf(message), "biz_opaque_callback_data": campaignID + ":row" + strconv.Itoa(message),
		}
		if word == "sent" || word == "delivered" {
			s["pricing"] = object{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"}
		}
		return s
	}
	delay := []int64{0, 1, 2, 4, 6, 29, 59, 299, 1700, 1801, fateSeconds - 60}[c.rand.IntN(11)]
	statuses = append(statuses, status("sent", 0))
	failed := func() {
		code := []int{131026, 131049, 130472, 131050, 131053}[c.rand.IntN(5)]
		s := status("failed", delay)
		s["errors"] = []object{{"code": code, "title": "a title", "message": "a title", "error_data": object{"details": "for a reason"}}}
		statuses = append(statuses, s)
	}
	switch dice := c.rand.IntN(100); {
	case dice < 50:
		statuses = append(statuses, status("delivered", delay))
	case dice < 75:
		statuses = append(statuses, status("delivered", delay), status("read", delay+30))
	case dice < 80:
		statuses = append(statuses, status("read", delay)) // the chat was open
	case dice < 90:
		failed()
	case dice < 93: // two phones
		failed()
		statuses = append(statuses, status("delivered", delay+5))
	}
	return statuses, object{"profile": object{"name": "Inês"}, "wa_id": phoneOf(message)}
}

// stop is a customer's wish to be left alone, as a text or by the template's button.
func (c *crowd) stop(message int) []byte {
	m := object{
		"from": phoneOf(message), "id": "wamid.IN" + strconv.Itoa(message), "timestamp": strconv.FormatInt(c.start+sendingSeconds+fateSeconds, 10),
		"context": object{"from": "4915550001", "id": wamidOf(message)},
	}
	if c.rand.IntN(2) == 0 {
		m["type"], m["text"] = "text", object{"body": "STOP"}
	} else {
		m["type"], m["button"] = "button", object{"payload": "STOP_PROMO", "text": "Stop promotions"}
	}
	value := valueOf("messages", []object{m})
	value["contacts"] = []object{{"profile": object{"name": "Inês"}, "wa_id": phoneOf(message)}}
	return envelope("messages", value)
}

// news is what Meta tells besides: of one more template and one more number,
// and bodies that are signed and not understood.
func (c *crowd) news() [][]byte {
	id := 594425479261596 + int64(c.messages)
	return [][]byte{
		envelope("message_template_status_update", object{
			"event": "PAUSED", "message_template_id": id, "message_template_name": "autumn_offer_" + strconv.Itoa(c.messages),
			"message_template_language": "pt_PT", "reason": "NONE", "other_info": object{"title": "FIRST_PAUSE"},
		}),
		envelope("message_template_quality_update", object{
			"previous_quality_score": "GREEN", "new_quality_score": "YELLOW", "message_template_id": id,
			"message_template_name": "autumn_offer_" + strconv.Itoa(c.messages), "message_template_language": "pt_PT",
		}),
		envelope("phone_number_quality_update", object{
			"display_phone_number": "49155" + strconv.Itoa(1_000_000+c.messages), "event": "ONBOARDING",
			"max_daily_conversations_per_business": "TIER_10K",
		}),
		envelope("weather_update", object{"rain": true, "n": c.messages}),
		[]byte("no JSON " + strconv.Itoa(c.messages)),
	}
}

func valueOf(list string, of []object) object {
	return object{
		"messaging_product": "whatsapp", "metadata": object{"display_phone_number": "4915550001", "phone_number_id": "500100200300400"}, list: of,
	}
}

// envelope writes a body as Meta does: ASCII alone, and the slash escaped.
func envelope(field string, value object) []byte {
	entry := object{"id": "400100200300400", "changes": []object{{"field": field, "value": value}}}
	if field != "messages" {
		entry["time"] = time.Now().Unix()
	}
	b, err := json.Marshal(object{"object": "whatsapp_business_account", "entry": []object{entry}})
	if err != nil {
		panic(err) // made of texts and numbers
	}
	b = bytes.ReplaceAll(b, []byte("ê"), []byte(`\u00ea`))
	return bytes.ReplaceAll(b, []byte("/"), []byte(`\/`))
}
