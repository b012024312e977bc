package store

import (
	"testing"

	"tickwatch/wa"
)

// whyNot is what a list is told of a phone before it is sent to.
func whyNot(t testing.TB, s *Store, phone, channel string, marketing bool, now wa.Instant) string {
	t.Helper()
	x, err := s.Suppression(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	h, held := x.Hold(phone, channel, marketing)
	if err := x.Err(); err != nil {
		t.Fatal(err)
	}
	if !held {
		return ""
	}
	return h.Why()
}
