package cli

import (
	"crypto/rand"

	"tickwatch/monitor/fallback"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// Rates of the demo's SMS, a second of its own time: what its provider takes, and
// what is sent.
const (
	demoSMSRate = 12
	demoSMSPace = 10
)

// demoFallback lets the demo reach people by SMS, through the stand-in's provider
// and with the keys that an operator would set for a gateway like it.
func demoFallback(cfg *Config, meta *sandbox.Sandbox) {
	cfg.Fallback.Budget = "100 EUR"
	cfg.SMS = ChannelConfig{
		Provider: fallback.ProviderHTTP, URL: meta.SMSURL(), Password: meta.SMSToken(), Sender: "AutumnShop",
		ReplyToken: wa.NewSecret(rand.Text()), PerSecond: demoSMSPace,
		Text: []string{
			"pt: Ola {first_name}, a sua oferta de outono espera por si: shop.example/o - nao receber mais: STOP",
			"es: Hola {first_name}, tu oferta de otoño te espera: shop.example/o - no recibir más: STOP",
			"fr: Bonjour {first_name}, votre offre d'automne vous attend : shop.example/o - ne plus recevoir : STOP",
			"de: Hallo {first_name}, Ihr Herbstangebot wartet: shop.example/o - nichts mehr erhalten: STOP",
			"Hi {first_name}, your autumn offer is waiting: shop.example/o - to opt out: STOP",
		},
		Prices: []string{"PT 0.042", "BR 0.031", "ES 0.058", "FR 0.055", "DE 0.082", "CI 0.094", "AO 0.078", "MZ 0.066", "GB 0.041"},
	}
	cfg.SMSGateway = GatewayConfig{
		Headers:     []string{"Authorization: Bearer {password}"},
		Body:        `{"to":"{to}","text":"{text}","from":"{sender}","callback":"{callback}"}`,
		AnswerField: "status", Accepted: []string{"accepted"}, Rejected: []string{"rejected"}, OptedOut: []string{"opted_out"}, Throttled: []string{"throttled"},
		IDField: "id", ErrorField: "error",
		StateField: "state", StateQueued: []string{"queued"}, StateSent: []string{"sent"}, StateFailed: []string{"failed"}, Delivered: []string{"delivered"},
		ReceiptID: "id", ReceiptErr: "error",
		FromField: "from", TextField: "text", ReplyID: "id",
	}
}

// demoReplies is where what people answer by SMS is posted.
func demoReplies(cfg *Config) string {
	return cfg.Webhook.PublicURL + fallback.Path + wa.ChannelSMS + "/" + fallback.Reply + "?token=" + cfg.SMS.ReplyToken.Reveal()
}
