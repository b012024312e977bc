package monitor

import (
	"context"
	"math"
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"tickwatch/monitor/link"
)

// hostEvery is how often the machine's load is looked at.
const hostEvery = 5 * time.Second

// HostLoad looks at the machine: the processors' load since it was last asked,
// its memory and the daemon's own, and the disk that a folder lies on. A figure that
// the system does not give is nil.
func HostLoad(ctx context.Context, dir string) link.Host {
	var h link.Host
	if all, err := cpu.PercentWithContext(ctx, 0, false); err == nil && len(all) == 1 {
		load := math.Round(all[0]) / 100
		h.CPU = &load
	}
	if p, err := process.NewProcessWithContext(ctx, int32(os.Getpid())); err == nil { //nolint:gosec // a pid fits
		if m, err := p.MemoryInfoWithContext(ctx); err == nil {
			h.MemoryBytes = &m.RSS
		}
	}
	if all, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		used := math.Round(all.UsedPercent*10) / 1000
		h.Memory = &used
	}
	if d, err := disk.UsageWithContext(ctx, dir); err == nil {
		h.DiskFreeBytes = &d.Free
		used := math.Round(d.UsedPercent*10) / 1000
		h.Disk = &used
	}
	return h
}
