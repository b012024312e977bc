package store

import (
	"fmt"
	"os"
	"runtime/pprof"
	"testing"

	"tickwatch/wa"
)

func BenchmarkAdhoc(b *testing.B) {
	dir := "/tmp/supp1m"
	_, err := os.Stat(dir)
	s := open(b, dir)
	if err != nil {
		suppressMany(b, s, 1_000_000, false)
	}
	var n, fl int
	_ = s.readers.QueryRow("PRAGMA page_count").Scan(&n)
	_ = s.readers.QueryRow("PRAGMA freelist_count").Scan(&fl)
	fmt.Println("pages", n, "free", fl)
	sides := []*queueSide{{s: open(b, b.TempDir())}, {s: s}}
	for _, q := range sides {
		q.p = imported(b, q.s, 130_000, wa.CategoryMarketing)
	}
	for k := range 2 {
		f, _ := os.Create(fmt.Sprintf("/tmp/adhoc%d.prof", k))
		_ = pprof.StartCPUProfile(f)
		for range 300 {
			sides[k].round(b)
		}
		pprof.StopCPUProfile()
		f.Close()
		sides[k].sent, sides[k].took, sides[k].cpu = 0, 0, 0
	}
	for i := range 600 {
		sides[i%2].round(b)
		sides[1-i%2].round(b)
	}
	for _, q := range sides {
		fmt.Println(q.sent/q.took.Seconds(), q.sent/q.cpu.Seconds())
	}
}
