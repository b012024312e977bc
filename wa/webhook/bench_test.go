package webhook_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
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

// nowhere is a Sink that is always content.
var nowhere = sinkFunc(func(context.Context, *wa.Post) error { return nil })

// oneSecret is how most run it: without a rotation going on.
func oneSecret() webhook.Options {
	return webhook.Options{Secrets: []wa.Secret{wa.NewSecret(secret)}, Sink: nowhere}
}

// BenchmarkHandler measures what a POST costs without a store and without
// net/http: its body is read, verified and decoded, and it is answered.
func BenchmarkHandler(b *testing.B) {
	for _, n := range batches {
		body := batch(n)
		h := webhook.NewHandler(oneSecret())
		header := http.Header{webhook.SignatureHeader: {sign(secret, body)}, "Content-Type": {"application/json"}}
		b.Run(fmt.Sprintf("statuses=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			content := bytes.NewReader(body)
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/webhooks/meta", content)
			r.Header = header
			w := &answered{header: http.Header{}}
			for b.Loop() {
				content.Reset(body)
				clear(w.header)
				if h.ServeHTTP(w, r); w.code != http.StatusOK {
					b.Fatal(w.code)
				}
			}
		})
	}
}

// answered is a ResponseWriter that keeps the code only.
type answered struct {
	header http.Header
	code   int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(code int)        { a.code = code }
func (a *answered) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkServer measures the same over keep-alive connections on loopback, the
// client's part included. "bare" is what net/http costs by itself: its handler
// reads the body and answers.
func BenchmarkServer(b *testing.B) {
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	})
	for _, n := range batches {
		body := batch(n)
		request := fmt.Appendf(nil, "POST /webhooks/meta HTTP/1.1\r\nHost: localhost\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"+
			"Content-Type: application/json\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s", sign(secret, body), len(body), body)
		for _, by := range []struct {
			name    string
			handler http.Handler
		}{{"webhook", webhook.NewHandler(oneSecret())}, {"bare", bare}} {
			b.Run(fmt.Sprintf("%s/statuses=%d", by.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				address := serve(b, webhook.NewServer(by.handler), nil)
				b.SetParallelism(16)
				b.RunParallel(func(pb *testing.PB) {
					c := dial(b, address)
					answers := bufio.NewReader(c)
					for pb.Next() {
						if _, err := c.Write(request); err != nil {
							b.Fatal(err)
						}
						readAnswer(b, answers)
					}
				})
			})
		}
	}
}

// readAnswer reads an answer of 200 with a body of less than 10 bytes.
func readAnswer(tb testing.TB, from *bufio.Reader) {
	line, err := from.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		tb.Fatalf("answered %q, %v", line, err)
	}
	length := 0
	for len(line) > 2 { // up to the empty line
		if digit, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length = int(digit[0] - '0')
		}
		if line, err = from.ReadSlice('\n'); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := from.Discard(length); err != nil {
		tb.Fatal(err)
	}
}

type sinkFunc func(ctx context.Context, post *wa.Post) error

func (f sinkFunc) Ingest(ctx context.Context, post *wa.Post) error { return f(ctx, post) }
