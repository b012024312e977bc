package pane

import (
	"strconv"

	"tickwatch/monitor/link"
)

// seeds says how messages to the operator's own phones fare; "" when there are none.
func (l Look) seeds(c *link.Campaign) string {
	s := c.Seeds
	if s == nil {
		return ""
	}
	if s.Problem != "" {
		return "Own phones get none: " + s.Problem + "."
	}
	text := "Own phones: " + count(s.Delivered) + " of " + count(s.Sent) + " arrived"
	if s.Failed > 0 {
		text += ", " + count(s.Failed) + " failed"
	}
	if s.Unknown > 0 {
		text += ", " + count(s.Unknown) + " may have gone out"
	}
	if s.MedianSeconds != nil {
		text += ", half within " + strconv.FormatFloat(*s.MedianSeconds, 'f', 1, 64) + " s"
	}
	if s.LastDeliveredAt != nil {
		text += ", last " + l.clock(*s.LastDeliveredAt)
	}
	return text + "."
}
