package list

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// longList writes n people as a shop's export has them.
func longList(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "list.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "id,phone,first_name,city,code,opt_in")
	for i := range n {
		fmt.Fprintf(w, "%d,+49151%08d,Ana %d,Berlin,AUTUMN%d,yes\n", i, i*7%100_000_000, i, i%10)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	file.Close()
	return path
}

// peak is the heap in use at the end of a pass, which is when it is largest.
func peak() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

func BenchmarkMillionRows(b *testing.B) {
	const people = 1_000_000
	path := longList(b, people)
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := Open(path, "list.csv")
			if err != nil {
				b.Fatal(err)
			}
			rows := 0
			for {
				if _, err := r.Next(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
				rows++
			}
			if rows != people {
				b.Fatal(rows)
			}
			r.Close()
		}
		b.ReportMetric(people*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("judge", func(b *testing.B) {
		b.ReportAllocs()
		heap := 0.0
		for b.Loop() {
			r, err := Open(path, "list.csv")
			if err != nil {
				b.Fatal(err)
			}
			form := *offer
			form.Header, form.Buttons = nil, nil
			nobody := func(string) bool { return false }
			j, err := NewJudge(r, Options{Form: &form}, Facts{OptedOut: nobody, Refuser: nobody, Capped: nobody})
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = j.Next()
			}
			if c := j.Check(); c.Valid != people {
				b.Fatal(c, err)
			}
			heap = peak()
			runtime.KeepAlive(j)
			r.Close()
		}
		b.ReportMetric(people*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(heap, "heap-MiB")
	})
}
