package monitor_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// The template of a campaign that runs is compared with that of the campaign before,
// once an hour; Meta's word stands at the campaign, and the next daemon knows it.
func TestTemplatesAreCompared(t *testing.T) {
	var asked atomic.Int64
	meta := func(s *monitor.Sending) {
		s.Speed = 1000 // so that it looks every 300 ms
		s.Compare = func(_ context.Context, template, other int64, _ time.Time) (wa.Comparison, error) {
			asked.Add(1)
			return wa.Comparison{
				Template: template, Other: other, Days: 7, BlockedLess: other,
				Its: wa.Compared{Sends: 2000, Reason: "NO_SIGN_UP"}, Others: wa.Compared{Sends: 3000, Reason: "SPAM"},
			}, nil
		}
	}
	d := openDeskWith(t, t.TempDir(), meta)
	up := command[link.Uploaded](d, link.VerbUpload, link.UploadArgs{Name: "list.csv", Data: listOf(phones(3))})
	d.done(command[link.Job](d, link.VerbList, link.ListArgs{
		Upload: up.Upload, Import: true, Name: "Summer", Template: &link.TemplateRef{Name: "spare", Language: "pt_PT"}, From: []string{numberA},
	}))
	d.imports("Autumn", phones(300), numberA)
	command[link.Receipt](d, link.VerbStart, link.StartArgs{Campaign: "autumn", Force: true})
	told := func() *link.Comparison {
		for _, c := range command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{}).Campaigns {
			if c.ID == "autumn" {
				return c.Reports.Comparison
			}
		}
		return nil
	}
	for told() == nil {
		d.clock.forward(time.Millisecond)
	}
	c := told()
	if c.Other != "spare" || c.BlockedMore == nil || !*c.BlockedMore || c.Reason != "NO_SIGN_UP" || c.Days != 7 || asked.Load() != 1 {
		t.Errorf("%+v, asked %d times", c, asked.Load())
	}
	d.stop()
	d = openDesk(t, d.dir)
	for told() == nil {
		d.clock.forward(time.Millisecond)
	}
}
