package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"time"

	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// benchSide is one of the handlers that are compared, listening on loopback.
type benchSide struct {
	addr  string
	store *store.Store // the pipeline's; else nil
	close func() error
}

// answersOnly is the ceiling: it reads a body, verifies it, and answers.
func answersOnly(signed *webhook.Verifier) http.Handler {
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(body)
		body.Reset()
		if _, err := body.ReadFrom(r.Body); err != nil {
			http.Error(w, "the body broke off", http.StatusBadRequest)
			return
		}
		if err := signed.Verify(r.Header.Values(webhook.SignatureHeader), body.Bytes()); err != nil {
			http.Error(w, "the signature is missing or wrong", http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "verified")
	})
}

// ceilingSide, tutorialSide and pipelineSide start what is compared. Each
// carries a label in the CPU profile.

func (b *ingestBench) ceilingSide(ctx context.Context) (*benchSide, error) {
	return b.side(ctx, "ceiling", func(context.Context, string) (http.Handler, io.Closer, error) {
		return answersOnly(webhook.NewVerifier(b.secret)), io.NopCloser(nil), nil
	})
}

func (b *ingestBench) tutorialSide(ctx context.Context) (*benchSide, error) {
	return b.side(ctx, "tutorial", func(ctx context.Context, dir string) (http.Handler, io.Closer, error) {
		t, err := openTutorial(ctx, filepath.Join(dir, "tutorial.db"), webhook.NewVerifier(b.secret))
		return t, t, err
	})
}

func (b *ingestBench) pipelineSide(ctx context.Context) (*benchSide, error) {
	var s *store.Store
	side, err := b.side(ctx, "pipeline", func(ctx context.Context, dir string) (_ http.Handler, _ io.Closer, err error) {
		s, err = store.Open(ctx, store.Options{Dir: dir, Decode: webhook.Decode})
		if err != nil {
			return nil, nil, err
		}
		return webhook.NewHandler(webhook.Options{Secrets: []wa.Secret{b.secret}, Sink: s, Ready: s.Ready}), s, nil
	})
	if err == nil {
		side.store = s
	}
	return side, err
}

// side starts a handler in a folder of its own, and everything that it starts
// under a label.
func (b *ingestBench) side(ctx context.Context, part string, open func(ctx context.Context, dir string) (http.Handler, io.Closer, error)) (_ *benchSide, err error) {
	dir, err := os.MkdirTemp(b.dir, part+"-")
	if err != nil {
		return nil, err
	}
	var side *benchSide
	pprof.Do(ctx, pprof.Labels("part", part), func(ctx context.Context) {
		var h http.Handler
		var c io.Closer
		if h, c, err = open(ctx, dir); err == nil {
			side, err = serveBench(ctx, h, c)
		}
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop := side.close
	side.close = func() error { return errors.Join(stop(), os.RemoveAll(dir)) }
	return side, nil
}

// serveBench serves a handler as the daemon does.
func serveBench(ctx context.Context, h http.Handler, behind io.Closer) (*benchSide, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, behind.Close())
	}
	server := webhook.NewServer(h)
	served := make(chan error, 1)
	go func() { served <- server.Serve(webhook.Limit(l, maxWebhookConns)) }()
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
		defer cancel()
		err := errors.Join(server.Shutdown(ctx), behind.Close())
		if e := <-served; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}
	return &benchSide{addr: l.Addr().String(), close: stop}, nil
}

// fsyncTimes writes and syncs a page some times, to tell what a commit must cost here.
func fsyncTimes(dir string) (*outcome, error) {
	const times = 100
	f, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	defer f.Close()
	page := make([]byte, 4096)
	o := &outcome{}
	for range times {
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		start := time.Now()
		if err := f.Sync(); err != nil {
			return nil, err
		}
		o.latencies = append(o.latencies, time.Since(start))
	}
	o.sort()
	return o, nil
}
