package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

const token = "a-verify-token"

// shelf is a Sink that keeps what it is given, as the store does.
type shelf struct {
	mu    sync.Mutex
	posts []*wa.Post
	full  error // what Ingest answers; nil = it keeps the post
}

func (s *shelf) Ingest(_ context.Context, post *wa.Post) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return s.full
	}
	kept := *post
	kept.Body, kept.Statuses = bytes.Clone(post.Body), slices.Clone(post.Statuses) // which are lent
	s.posts = append(s.posts, &kept)
	return nil
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.posts)
}

// standard is a handler as the daemon makes it.
func standard(sink webhook.Sink) webhook.Options {
	return webhook.Options{
		Secrets:      []wa.Secret{wa.NewSecret("the-old-secret"), wa.NewSecret(secret)},
		VerifyTokens: []wa.Secret{wa.NewSecret("another-token"), wa.NewSecret(token)},
		Sink:         sink,
	}
}

// post sends a body over a real connection; with changes to its headers.
func post(t *testing.T, url string, body io.Reader, header http.Header) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/webhooks/meta", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, http.Header, string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

func signed(body []byte) http.Header {
	return http.Header{"X-Hub-Signature-256": {sign(secret, body)}, "Content-Type": {"application/json"}}
}

func TestReceiveAnswers(t *testing.T) {
	good := batch(3)
	junk := []byte("no JSON at all")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(bytes.Repeat([]byte(" "), 10<<20)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	largest := bytes.Repeat([]byte(" "), 4<<20)
	header := func(body []byte, key string, values ...string) http.Header {
		h := signed(body)
		h[key] = values
		return h
	}
	for _, tc := range []struct {
		name   string
		body   []byte
		header http.Header
		code   int
		stored int
	}{
		{"signed", good, signed(good), 200, 1},
		{"signed with the older secret", good, header(good, "X-Hub-Signature-256", sign("the-old-secret", good)), 200, 1},
		{"signed, not understood", junk, signed(junk), 200, 1},
		{"signed, empty", nil, signed(nil), 200, 1},
		{"signed, 4 MiB", largest, signed(largest), 200, 1},
		{"without signature", good, http.Header{}, 401, 0},
		{"two signatures", good, header(good, "X-Hub-Signature-256", sign(secret, good), sign(secret, good)), 401, 0},
		{"signed with a secret that is not ours", good, header(good, "X-Hub-Signature-256", sign("guess", good)), 401, 0},
		{"signed for another body", good, signed(junk), 401, 0},
		{"4 MiB and a byte", append(largest, ' '), signed(append(largest, ' ')), 413, 0},
		{"gzip", zipped.Bytes(), header(zipped.Bytes(), "Content-Encoding", "gzip"), 415, 0},
		{"any Content-Encoding", good, header(good, "Content-Encoding", "identity"), 415, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var refused, answered atomic.Int32
			kept := &shelf{}
			o := standard(kept)
			o.Refused = func() { refused.Add(1) }
			o.Answered = func(time.Duration) { answered.Add(1) }
			server := httptest.NewServer(webhook.NewHandler(o))
			defer server.Close()

			code, answer, text := post(t, server.URL, bytes.NewReader(tc.body), tc.header)
			if code != tc.code || kept.count() != tc.stored {
				t.Errorf("answered %d with %d stored, want %d with %d", code, kept.count(), tc.code, tc.stored)
			}
			if tc.stored == 1 && !bytes.Equal(kept.posts[0].Body, tc.body) {
				t.Error("the stored body is not the one that was signed")
			}
			if got, want := refused.Load() == 1, tc.code == 401; got != want {
				t.Errorf("counted as refused: %v", got)
			}
			if got, want := answered.Load() == 1, tc.code == 200; got != want {
				t.Errorf("timed as a signed POST: %v", got)
			}
			if answer.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(text, "secret") || len(text) > 100 {
				t.Errorf("answer %v %q", answer, text)
			}
		})
	}
}

func TestReceiveWithoutSecretRefusesAll(t *testing.T) {
	kept := &shelf{}
	o := standard(kept)
	o.Secrets = nil
	server := httptest.NewServer(webhook.NewHandler(o))
	defer server.Close()
	body := batch(1)
	if code, _, _ := post(t, server.URL, bytes.NewReader(body), http.Header{"X-Hub-Signature-256": {sign("", body)}}); code != 401 {
		t.Errorf("answered %d, want 401", code)
	}
	if kept.count() != 0 {
		t.Error("stored")
	}
}

// What the store cannot take is not acknowledged, so that Meta sends it again.
func TestReceiveWhenTheStoreCannot(t *testing.T) {
	kept := &shelf{full: errors.New("the disk is full: free some space in /var/lib")}
	var log bytes.Buffer
	o := standard(kept)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	server := httptest.NewServer(webhook.NewHandler(o))
	body := batch(1)
	code, header, text := post(t, server.URL, bytes.NewReader(body), signed(body))
	if code != 503 || header.Get("Retry-After") == "" {
		t.Errorf("answered %d with Retry-After %q, want 503 and some", code, header.Get("Retry-After"))
	}
	if strings.Contains(text, "disk") {
		t.Errorf("the answer tells the sender about our disk: %q", text)
	}
	kept.mu.Lock()
	kept.full = nil
	kept.mu.Unlock()
	if code, _, _ := post(t, server.URL, bytes.NewReader(body), signed(body)); code != 200 || kept.count() != 1 {
		t.Errorf("the second attempt: %d, %d stored", code, kept.count())
	}
	server.Close()
	if !strings.Contains(log.String(), "the disk is full") {
		t.Errorf("the log does not say why: %q", log.String())
	}
}

// A sender that hangs up while its post is being stored has sent it all the same.
func TestReceiveStoresAfterTheSenderHasGone(t *testing.T) {
	begun, gone, stored := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	sink := sinkFunc(func(ctx context.Context, _ *wa.Post) error {
		close(begun)
		<-gone
		stored <- ctx.Err()
		return nil
	})
	handler := webhook.NewHandler(standard(sink))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		go func() {
			<-r.Context().Done() // the server has seen the sender go
			close(gone)
		}()
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()

	ctx, hangUp := context.WithCancel(t.Context())
	body := batch(1)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/webhooks/meta", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = signed(body)
	go func() { <-begun; hangUp() }()
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is none
		t.Fatalf("got %v, want the request to break off", err)
	}
	if err := <-stored; err != nil {
		t.Errorf("the sender took the store's context along: %v", err)
	}
}

// A thousand forged posts must not fill the log, nor what is logged tell secrets.
func TestLogIsBoundedAndTellsNoSecret(t *testing.T) {
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	o := standard(&shelf{})
	o.Now = func() time.Time { return now }
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	h := webhook.NewHandler(o)
	body := []byte(`{"object":"canary-in-body"}`)
	send := func(signature, path string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
		if strings.Contains(path, "?") {
			r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		}
		r.Header.Set(webhook.SignatureHeader, signature)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	for range 1000 {
		send(sign("guess", body), "/webhooks/meta")
	}
	for range 1000 {
		send(sign(secret, body), "/webhooks/meta")
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines for 1000 refusals and 1000 oddities, want one of each:\n%.1000s", n, log.String())
	}
	now = now.Add(time.Minute)
	send("", "/webhooks/meta")
	send("", "/webhooks/meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=canary-token")
	if !strings.Contains(log.String(), "left_out=999") {
		t.Errorf("nothing says how many lines were left out:\n%s", log.String())
	}
	for _, canary := range []string{secret, "the-old-secret", token, "canary-token", sign(secret, body)} {
		if strings.Contains(log.String(), canary) {
			t.Errorf("the log holds %q:\n%s", canary, log.String())
		}
	}
}

// The room of bodies and posts goes round: nothing of a post may be seen in
// another, neither while the Sink has it nor in the texts that it keeps.
func TestConcurrentPostsDoNotMix(t *testing.T) {
	kept := &shelf{}
	server := httptest.NewServer(webhook.NewHandler(standard(kept)))
	defer server.Close()
	var bodies [][]byte
	for _, body := range payloadFiles(t) {
		bodies = append(bodies, body)
	}
	const senders = 8
	for s := range senders {
		bodies = append(bodies, batch(1+s), crowd(50+100*s))
	}
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range bodies {
				body := bodies[(i*(2*s+1)+s)%len(bodies)] // each in an order of its own
				if code, _, _ := post(t, server.URL, bytes.NewReader(body), signed(body)); code != 200 {
					t.Errorf("answered %d", code)
				}
			}
		})
	}
	all.Wait()
	if kept.count() != senders*len(bodies) {
		t.Fatalf("%d stored, want %d", kept.count(), senders*len(bodies))
	}
	for _, p := range kept.posts {
		if len(p.Statuses) == 0 {
			p.Statuses = nil
		}
		if want := webhook.Decode(p.Source, p.Body, p.ReceivedAt); !reflect.DeepEqual(want, p) {
			t.Fatalf("a post is not what its body says, -want +got:\n%.2000s", cmp.Diff(want, p))
		}
	}
}

// A Sink that hangs is told to give up after ten seconds, and not before, whenever
// its request came and however long the body took.
func TestSinkMayTakeTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := webhook.NewHandler(standard(sinkFunc(func(ctx context.Context, _ *wa.Post) error {
			start := time.Now()
			<-ctx.Done()
			if took := time.Since(start); took < 10*time.Second || took > 11*time.Second {
				t.Errorf("given up after %v", took)
			}
			return ctx.Err()
		})))
		body := batch(1)
		var all sync.WaitGroup
		for i := range 40 {
			time.Sleep(300 * time.Millisecond) // of the test's own time
			all.Go(func() {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/meta", bytes.NewReader(body))
				r.Header = signed(body)
				r.Body = lateBody{r.Body, time.Duration(i%5) * 3 * time.Second}
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != 503 {
					t.Errorf("answered %d", w.Code)
				}
			})
		}
		all.Wait()
	})
}

// lateBody is a body that takes its time.
type lateBody struct {
	io.ReadCloser
	by time.Duration
}

func (l lateBody) Read(b []byte) (int, error) {
	time.Sleep(l.by)
	return l.ReadCloser.Read(b)
}
