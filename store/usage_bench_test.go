package store

import (
	"fmt"
	"testing"

	"tickwatch/wa"
)

// BenchmarkUsage counts who was written to, of 100,000 people within a day: as many as
// the highest limit that there is to use up.
func BenchmarkUsage(b *testing.B) {
	s := open(b, b.TempDir())
	for from := 0; from < 100_000; from += 1000 {
		var all []wa.StatusUpdate
		for i := from; i < from+1000; i++ {
			all = append(all, status(fmt.Sprint(i), wa.StatusDelivered, at(int64(i/100)), "autumn:"+fmt.Sprint(i)))
		}
		ingest(b, s, statuses(all...))
	}
	if err := s.Settled(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got, err := s.Usage(b.Context(), received); err != nil || got[0].People != 100_000 {
			b.Fatalf("%+v, %v", got, err)
		}
	}
}
