package graph

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// TestAgainstTheStandIn reads an account of the stand-in and sends a message to it.
func TestAgainstTheStandIn(t *testing.T) {
	webhooks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer webhooks.Close()
	s, err := sandbox.New(sandbox.Options{Messages: -1, WebhookURL: webhooks.URL, Secret: wa.NewSecret("s")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	token := s.Token()
	c := speak(t, s.URL(), func(o *Options) { o.Token = func() wa.Secret { return token } })

	form, err := c.Template(ctx, sandbox.AccountID, sandbox.CampaignTemplate, sandbox.CampaignLanguage)
	if err != nil || form.Category != wa.CategoryMarketing || form.Header == nil || len(form.Buttons) == 0 || len(form.Unfillable) != 0 {
		t.Fatalf("%+v, %v", form, err)
	}
	if all, err := c.Templates(ctx, sandbox.AccountID); err != nil || len(all) < 3 {
		t.Errorf("%d templates, %v", len(all), err)
	}
	numbers, err := c.Numbers(ctx, sandbox.AccountID)
	if err != nil || len(numbers) < 2 || numbers[0].Limit != "TIER_100K" || numbers[0].PerSecond() != 80 || numbers[0].Display != "351910000001" {
		t.Fatalf("%+v, %v", numbers, err)
	}
	if h, err := c.Health(ctx, numbers[0].ID); err != nil || h.CanSend != CanSend {
		t.Errorf("%+v, %v", h, err)
	}

	filled, err := form.Fill(func(v string) string {
		return map[string]string{"header": "800100200300400", "1": "Ana", "button1": "STOP_PROMO"}[v]
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &wa.Outgoing{To: "+351912345678", Template: filled, CallbackData: wa.OwnData("autumn", "a1", 100)}
	a, err := c.Send(ctx, numbers[0].ID, m, nil)
	if err != nil || a.Phone != "351912345678" {
		t.Fatalf("%+v, %v", a, err)
	}
	if books := s.Books(); len(books.Messages) != 1 || books.Messages[0].ID != a.WAMID {
		t.Errorf("the stand-in knows %+v, the send says %s", books.Messages, a.WAMID)
	}

	m.Template.Name = "spring_offer"
	refusedAs(t, c, numbers[0].ID, m, 132001, wa.ClassTemplate)
	m.Template.Name = form.Name
	m.Template.Values = nil
	refusedAs(t, c, numbers[0].ID, m, 132000, wa.ClassTemplate)
	refusedAs(t, c, "1", m, 100, wa.ClassNumber)
	token = wa.NewSecret("EAAGold")
	refusedAs(t, c, numbers[0].ID, m, 190, wa.ClassAccount)
}

func refusedAs(t *testing.T, c *Client, from string, m *wa.Outgoing, code int, class wa.Class) {
	t.Helper()
	_, err := c.Send(context.Background(), from, m, nil)
	if r, ok := errors.AsType[*wa.Refusal](err); !ok || r.Code != code || r.Class() != class {
		t.Errorf("%v, want code %d and class %d", err, code, class)
	}
}
