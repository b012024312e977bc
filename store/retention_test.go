package store

import (
	"context"
	"math/rand/v2"
	"testing"

	"tickwatch/wa"
)

// Old raw bodies go, in small steps; younger ones, and every figure, stay.
func TestDropRaw(t *testing.T) {
	s := open(t, t.TempDir())
	const old, young = 450, 30
	for i := range old + young {
		p := statuses(status("1", wa.StatusSent, at(0), "x:1"))
		p.ReceivedAt = received - 1000
		if i >= old {
			p.ReceivedAt = received
		}
		ingest(t, s, p)
	}
	before := campaigns(t, s)["x"].Counts
	steps := 0
	for more := true; more; steps++ {
		var err error
		if more, err = s.DropRaw(context.Background(), received); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	if err := s.readers.QueryRow("SELECT count(*) FROM raw").Scan(&left); err != nil || left != young || steps != 3 {
		t.Errorf("%d left after %d steps, %v", left, steps, err)
	}
	if after := campaigns(t, s)["x"].Counts; after != before {
		t.Errorf("%+v, was %+v", after, before)
	}
	ingest(t, s, statuses(status("2", wa.StatusSent, at(0), "x:1"))) // a row of its own, not a used one's
	checkBooks(t, s)

	// Even when all are dropped, an id is not used for another body: notices name them.
	for more := true; more; {
		var err error
		if more, err = s.DropRaw(context.Background(), received+1000); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	s = open(t, s.dir)
	ingest(t, s, statuses(status("3", wa.StatusSent, at(0), "x:1")))
	var id int
	if err := s.readers.QueryRow("SELECT id FROM raw").Scan(&id); err != nil || id != old+young+2 {
		t.Errorf("the id %d is given again, %v", id, err)
	}
}

// Large bodies go fewer at a time.
func TestDropLargeRaw(t *testing.T) {
	s := open(t, t.TempDir())
	random := rand.NewChaCha8([32]byte{})
	for range 5 {
		p := &wa.Post{Body: make([]byte, dropBytes/3)}
		_, _ = random.Read(p.Body)
		ingest(t, s, p)
	}
	steps := 1
	for ; ; steps++ {
		more, err := s.DropRaw(t.Context(), received+1)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	if oldest, _, err := s.PostRange(t.Context()); err != nil || oldest != 0 || steps != 3 {
		t.Errorf("in %d steps, %d is left, %v", steps, oldest, err)
	}
}
