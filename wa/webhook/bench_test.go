package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// batch is a body of n delivered statuses as Meta writes them.
func batch(n int) []byte {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"wamid.HBgMMzUxOTAwMDAwMDAxFQIAERgSNDg5OTAw%08d","status":"delivered","timestamp":"1795161600","recipient_id":"3519%08d",`+
			`"recipient_user_id":"PT.84%08d","biz_opaque_callback_data":"camp7:row%d",`+
			`"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}}`, i, i, i, i)
	}
	return envelope(b.String())
}

// crowd is a body of n statuses and a contact for each, in the other order.
func crowd(n int) []byte {
	var statuses, contacts strings.Builder
	for i := range n {
		if i > 0 {
			statuses.WriteByte(',')
			contacts.WriteByte(',')
		}
		fmt.Fprintf(&statuses, `{"id":"wamid.%d","status":"sent","recipient_id":"%d"}`, i, i)
		fmt.Fprintf(&contacts, `{"wa_id":"%d","user_id":"PT.%d"}`, n-1-i, n-1-i)
	}
	return []byte(`{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"statuses":[` +
		statuses.String() + `],"contacts":[` + contacts.String() + `]}}]}]}`)
}

// batches are the sizes of a POST that are measured, in statuses.
var batches = []int{1, 10, 100, 1000}

// BenchmarkDecode measures Decode beside the reference over encoding/json; their
// ratio is what the scanner brings.
func BenchmarkDecode(b *testing.B) {
	for _, n := range batches {
		body := batch(n)
		for _, by := range []struct {
			name   string
			decode func(string, []byte, wa.Instant) *wa.Post
		}{{"scanner", webhook.Decode}, {"encoding-json", reference}} {
			b.Run(fmt.Sprintf("%s/statuses=%d", by.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if post := by.decode("meta", body, received); len(post.Statuses) != n {
						b.Fatal(post.Problem)
					}
				}
			})
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		body := batch(n)
		h := webhook.NewHandler(webhook.Options{
			Secrets: []wa.Secret{wa.NewSecret(secret)},
			Sink:    sinkFunc(func(context.Context, *wa.Post) error { return nil }),
		})
		signature := sign(secret, body)
		b.Run(fmt.Sprintf("statuses=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/webhooks/meta", bytes.NewReader(body))
					r.Header.Set(webhook.SignatureHeader, signature)
					w := httptest.NewRecorder()
					if h.ServeHTTP(w, r); w.Code != http.StatusOK {
						b.Fatal(w.Code)
					}
				}
			})
		})
	}
}

type sinkFunc func(ctx context.Context, post *wa.Post) error

func (f sinkFunc) Ingest(ctx context.Context, post *wa.Post) error { return f(ctx, post) }
