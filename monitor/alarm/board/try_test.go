package board

import (
	"flag"
	"fmt"
	"testing"
)

var seedsFlag = flag.Int("tryseeds", 30, "")

func TestTry(t *testing.T) {
	for _, r := range Play(Incidents(), *seedsFlag, 1, 2) {
		fmt.Printf("run %-55s wrong %.3f found %.3f judged %d/%d seconds %d/%d plain %.3f %.3f %d\n", r.Name, r.Wrong, r.Found, r.Judged, r.Late, r.Seconds, r.Slow, r.PlainWrong, r.PlainFound, r.PlainSeconds)
	}
}
