package cli

import (
	"context"
	"os"
	"runtime/debug"
	goruntime "runtime/metrics"
	"time"
)

const (
	memoryLeast = 108 << 20 // bytes that the collector may let the heap grow to, however little is in use
	memoryEvery = 10 * time.Second
)

// boundMemory keeps the collector from letting the heap grow to twice of what is in
// use when a burst of webhooks passes through: a jump host is small. What is
// needed it gets, and somebody who sets GOMEMLIMIT has the say.
func boundMemory(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []goruntime.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		goruntime.Read(live)
		used := int64(min(live[0].Value.Uint64(), 1<<62))
		debug.SetMemoryLimit(max(memoryLeast, used+used/2))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
