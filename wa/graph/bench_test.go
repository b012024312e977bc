package graph

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkSend measures a send over loopback, the server's half included, by one
// sender and by 64.
func BenchmarkSend(b *testing.B) {
	for _, c := range []struct {
		name     string
		together int
	}{{"alone", 0}, {"64 at once", 64}} {
		b.Run(c.name, func(b *testing.B) {
			s := httptest.NewServer(http.HandlerFunc(accept))
			defer s.Close()
			client := speak(b, s.URL)
			defer client.Close()
			begin := func() error { return nil }
			one := func() {
				if _, err := client.Send(b.Context(), number, outgoing(), begin); err != nil {
					b.Error(err)
				}
			}
			b.ReportAllocs()
			if c.together == 0 {
				for b.Loop() {
					one()
				}
				return
			}
			b.SetParallelism(c.together / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					one()
				}
			})
		})
	}
}
