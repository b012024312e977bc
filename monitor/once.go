package monitor

import "context"

// Publish judges and publishes once, as Run does in its own time. It must not be
// called while Run runs: it is for those who measure what a snapshot costs.
func (m *Monitor) Publish(ctx context.Context) { m.publish(ctx) }
