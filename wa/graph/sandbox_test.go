package graph

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
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
	numbers, err := c.Numbers(ctx, sandbox.AccountID)
	if err != nil || len(numbers) < 2 || numbers[0].Limit != "TIER_100K" || numbers[0].PerSecond() != 80 || numbers[0].Display != "351910000001" {
		t.Fatalf("%+v, %v", numbers, err)
	}
	if h, err := c.Health(ctx, numbers[0].ID); err != nil || h.CanSend != wa.CanSend {
		t.Errorf("%+v, %v", h, err)
	}

	all, err := c.Templates(ctx, sandbox.AccountID)
	if err != nil || len(all) < 3 {
		t.Fatalf("%d templates, %v", len(all), err)
	}
	m := &wa.Outgoing{To: "+351912345678", CallbackData: wa.OwnData("autumn", "a1", 100)}
	for _, f := range all {
		m.Template = filledWithSamples(t, &f)
		a, err := c.Send(ctx, numbers[0].ID, m, nil)
		if f.Status != wa.StatusApproved {
			if r, ok := errors.AsType[*wa.Refusal](err); !ok || r.Class() != wa.ClassTemplate {
				t.Errorf("%s is %s, and a send said %v", f.Name, f.Status, err)
			}
			continue
		}
		if err != nil || a.Phone != "351912345678" {
			t.Fatalf("%s: %+v, %v", f.Name, a, err)
		}
		sent := s.Books().Messages
		if len(sent) == 0 || sent[len(sent)-1].ID != a.WAMID {
			t.Errorf("%s: the send says %s, and the stand-in knows %+v", f.Name, a.WAMID, sent)
		}
	}

	m.Template = filledWithSamples(t, &form)
	m.Template.Name = "spring_offer"
	refusedAs(t, c, numbers[0].ID, m, 132001, wa.ClassTemplate)
	m.Template.Name = form.Name
	m.Template.Values = slices.DeleteFunc(m.Template.Values, func(v wa.FilledValue) bool { return v.Kind == wa.VariableText })
	refusedAs(t, c, numbers[0].ID, m, 132000, wa.ClassTemplate)
	refusedAs(t, c, "1", m, 100, wa.ClassNumber)
	token = wa.NewSecret("EAAGold")
	refusedAs(t, c, numbers[0].ID, m, 190, wa.ClassAccount)
}

// filledWithSamples fills every variable that must be with something of its kind.
func filledWithSamples(t *testing.T, f *wa.TemplateForm) wa.Filled {
	t.Helper()
	samples := map[string]string{
		wa.VariableText: "Ana", wa.VariableImage: "https://shop.example/a.png", wa.VariableVideo: "https://shop.example/a.mp4",
		wa.VariableDocument: "https://shop.example/a.pdf", wa.VariableLocation: "38.71,-9.14,Loja,Rua Augusta 1",
		wa.VariableURL: "ana", wa.VariableCode: "OUTONO20",
	}
	byName := map[string]string{}
	for _, v := range f.Variables() {
		byName[v.Name] = samples[v.Kind]
	}
	filled, err := f.Fill(func(v string) string { return byName[v] })
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return filled
}

func refusedAs(t *testing.T, c *Client, from string, m *wa.Outgoing, code int, class wa.Class) {
	t.Helper()
	_, err := c.Send(context.Background(), from, m, nil)
	if r, ok := errors.AsType[*wa.Refusal](err); !ok || r.Code != code || r.Class() != class {
		t.Errorf("%v, want code %d and class %d", err, code, class)
	}
}
