package board

import "testing"

func BenchmarkPlay(b *testing.B) {
	ins := Incidents()
	for i := 0; i < b.N; i++ {
		play(&ins[0], 1, i)
	}
}
