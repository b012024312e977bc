package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// Polls and comparisons keep to their parts of Meta's 200 calls an hour, and what
// people ask for is never refused here.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget{now: time.Now}
		made := func(use Use, tries int) (n int) {
			for range tries {
				if b.spend(use) == nil {
					n++
				}
			}
			return n
		}
		if p, c, a := made(Polled, 300), made(Compared, 300), made(Asked, 60); p != 100 || c != 10 || a != 60 {
			t.Errorf("in one hour: %d polls, %d comparisons, %d of people", p, c, a)
		}
		time.Sleep(30 * time.Minute)
		if a := made(Asked, 25); a != 25 {
			t.Errorf("people got %d answers", a)
		}
		time.Sleep(30*time.Minute - time.Second)
		if made(Polled, 1) != 0 {
			t.Error("a poll within the hour")
		}
		time.Sleep(time.Second)
		if made(Asked, 170); made(Polled, 1) != 0 { // 25 and 170 are of people
			t.Error("a poll although people used the hour up")
		}
		time.Sleep(30 * time.Minute)
		if p := made(Polled, 300); p != 20 {
			t.Errorf("beside 170 of people there are %d polls", p)
		}
		for range 24 * 60 { // a day of trying every minute
			time.Sleep(time.Minute)
			made(Polled, 20)
			if n := len(b.spent); n > 190 {
				t.Fatalf("%d calls in an hour", n)
			}
		}
	})
}

// A budget that is used up says so, and asks nobody.
func TestAPollWithoutBudget(t *testing.T) {
	asked := 0
	c := serve(t, func(string, func(string) string) (int, string) {
		asked++
		return 200, `{"id":"40","health_status":{"can_send_message":"AVAILABLE"}}`
	})
	polls := c.For(Polled)
	for range 101 {
		_, err := polls.Health(t.Context(), "40")
		if (asked == 100 && err != nil) != errors.Is(err, ErrBudget) {
			t.Fatalf("after %d: %v", asked, err)
		}
	}
	if _, err := c.Health(t.Context(), "40"); asked != 101 || err != nil {
		t.Errorf("%d calls; somebody who waits: %v", asked, err)
	}
}

// A field that may not be asked for costs its calls once, and not at every poll.
func TestAForbiddenFieldIsAskedForOnce(t *testing.T) {
	asked := 0
	c := serve(t, func(_ string, query func(string) string) (int, string) {
		asked++
		if strings.Contains(query("fields"), "throughput") {
			return 400, `{"error":{"code":10,"message":"Application does not have permission for this action"}}`
		}
		return 200, `{"data":[{"id":"50","display_phone_number":"+351 910","quality_rating":"YELLOW","status":"CONNECTED","whatsapp_business_manager_messaging_limit":"TIER_2K"}]}`
	})
	for round, most := range []int{7, 1, 1} {
		asked = 0
		all, err := c.Numbers(t.Context(), "40")
		if err != nil || asked != most || len(all) != 1 || all[0].Quality != wa.QualityYellow || all[0].Status != "CONNECTED" || all[0].Limit != "TIER_2K" {
			t.Errorf("round %d: %d calls, %+v, %v", round, asked, all, err)
		}
	}
}

// What is polled is asked of the stand-in: one number's field is forbidden, a
// template is paused, and two templates are compared.
func TestStandingOfTheStandIn(t *testing.T) {
	webhooks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer webhooks.Close()
	s, err := sandbox.New(sandbox.Options{Messages: -1, WebhookURL: webhooks.URL, Secret: wa.NewSecret("s"), Denied: []string{"status"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() { stop(); <-ended }()
	c := speak(t, s.URL(), func(o *Options) { o.Token = s.Token })

	numbers, err := c.Numbers(ctx, sandbox.AccountID)
	if err != nil || len(numbers) != 2 || numbers[0].Status != "" || numbers[0].Quality != wa.QualityGreen || numbers[0].Health.CanSend != wa.CanSend {
		t.Errorf("%+v, %v", numbers, err)
	}
	form, err := c.Template(ctx, sandbox.AccountID, sandbox.CampaignTemplate, sandbox.CampaignLanguage)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetTemplate(form.Name, form.Language, "PAUSED", wa.QualityRed); err != nil {
		t.Fatal(err)
	}
	is, err := c.TemplateStanding(ctx, form.ID)
	want := wa.PolledTemplate{ID: form.ID, Name: form.Name, Language: form.Language, Category: form.Category, Status: "PAUSED", Quality: wa.QualityRed}
	if diff := cmp.Diff(want, is.PolledTemplate); err != nil || diff != "" || is.Health.CanSend != wa.CannotSend {
		t.Errorf("%v, %+v\n%s", err, is.Health, diff)
	}
	spare, err := c.Template(ctx, sandbox.AccountID, sandbox.SpareTemplate, sandbox.CampaignLanguage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compare(ctx, form.ID, spare.ID, time.Now()); err == nil {
		t.Error("a template that was never sent is compared")
	}
}

func TestCompare(t *testing.T) {
	until := time.Unix(1_795_161_600, 0)
	c := serve(t, func(path string, query func(string) string) (int, string) {
		if path != "/v26.0/9900000000000001/compare" || query("template_ids") != "[17]" || query("end") != "1795161600" || query("start") != "1794556800" {
			t.Errorf("asked %s with %q from %s to %s", path, query("template_ids"), query("start"), query("end"))
		}
		return 200, `{"data":[{"metric":"TOP_BLOCK_REASON","type":"STRING_VALUES","string_values":[{"key":"9900000000000001","value":"NO_SIGN_UP"},{"key":"17","value":"SPAM"}]},
			{"metric":"BLOCK_RATE","type":"RELATIVE","order_by_relative_metric":["17","9900000000000001"]},{"metric":"NEW"},
			{"metric":"MESSAGE_SENDS","type":"NUMBER_VALUES","number_values":[{"key":"9900000000000001","value":1273},{"key":"17","value":1042}]}]}`
	})
	got, err := c.Compare(t.Context(), 9_900_000_000_000_001, 17, until)
	want := wa.Comparison{
		Template: 9_900_000_000_000_001, Other: 17, Days: 7, BlockedLess: 17,
		Its: wa.Compared{Sends: 1273, Reason: "NO_SIGN_UP"}, Others: wa.Compared{Sends: 1042, Reason: "SPAM"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// Whoever spoils an answer of a comparison spoils nothing else.
func TestCompareOddly(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, `{"data":5}`, ``} {
		c := serve(t, func(string, func(string) string) (int, string) { return 200, body })
		if _, err := c.Compare(t.Context(), 1, 2, time.Now()); err == nil || !strings.Contains(err.Error(), "graph.base_url") {
			t.Errorf("%q: %v", body, err)
		}
	}
	for i, data := range []string{`[]`, `[{"metric":"BLOCK_RATE","order_by_relative_metric":[5]}]`, `[{"metric":"TOP_BLOCK_REASON","string_values":[{"key":1,"value":{}}]}]`} {
		c := serve(t, func(string, func(string) string) (int, string) { return 200, fmt.Sprintf(`{"data":%s}`, data) })
		got, err := c.Compare(t.Context(), 1, 2, time.Now())
		if err != nil || got.BlockedLess != 0 || got.Its.Reason != "" {
			t.Errorf("%d: %+v, %v", i, got, err)
		}
	}
}
