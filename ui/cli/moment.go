package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// zoneArg is the zone of a command's times.
type zoneArg struct {
	Zone string `help:"Time zone of times that name none, such as Europe/Lisbon; else the daemon's." placeholder:"ZONE"`
}

// momentForms are how a date with a time is written, without a zone.
var momentForms = []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// moment reads a time of the command line: RFC 3339, a date with a time, a time
// of day (the next one), or a span from now on.
func moment(text string, now time.Time, zone *time.Location) (time.Time, error) {
	text = strings.TrimSpace(text)
	if span, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(span)
		if err != nil || d <= 0 {
			return time.Time{}, fmt.Errorf("%.40q is no span from now on: write +30m or +2h", wa.Clean(text))
		}
		return now.Add(d).Truncate(time.Second), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, form := range momentForms {
		if wall, err := time.Parse(form, text); err == nil {
			return onWall(wall, zone)
		}
	}
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, fmt.Errorf(`%.40q is no time: write 08:00, "2026-11-21 08:00", 2026-11-21T08:00:00Z or +30m`, wa.Clean(text))
	}
	today := now.In(zone)
	for day := range 3 { // today, tomorrow; a third where a day is short
		wall := time.Date(today.Year(), today.Month(), today.Day()+day, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
		t, err := onWall(wall, zone)
		if err != nil {
			return t, err
		}
		if t.After(now) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s does not come in the next days: give the date too", text)
}

// onWall is the moment at which a clock on the wall of a zone shows what wall
// says. Where clocks are set forward or back there is none, or there are two.
func onWall(wall time.Time, zone *time.Location) (time.Time, error) {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	const shown = "2006-01-02 15:04:05"
	if t.Format(shown) != wall.Format(shown) {
		return t, fmt.Errorf("%s does not exist in %s: the clocks are set forward then; give another time", wall.Format("2006-01-02 15:04"), zone)
	}
	_, offset := t.Zone()
	for _, near := range []time.Time{t.Add(-3 * time.Hour), t.Add(3 * time.Hour)} {
		_, other := near.In(zone).Zone()
		again := t.Add(time.Duration(offset-other) * time.Second)
		if other != offset && again.Format(shown) == wall.Format(shown) {
			return t, fmt.Errorf("%s comes twice in %s: the clocks are set back then; add the offset, such as %s",
				wall.Format("2006-01-02 15:04"), zone, t.Format(time.RFC3339))
		}
	}
	return t, nil
}

// moment reads a time in the command's zone, else the daemon's, by the daemon's
// clock; "" is nil. earlier allows one that is over.
func (z *zoneArg) moment(ctx context.Context, s *session, flag, text string, earlier bool) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	snapshot, err := s.status(ctx, "")
	if err != nil {
		return nil, err
	}
	zone, err := z.location(snapshot)
	if err != nil {
		return nil, usageError{err}
	}
	t, err := moment(text, snapshot.At, zone)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	if !earlier && !t.After(snapshot.At) {
		return nil, usageError{fmt.Errorf("%s: %s is over; it is %s", flag, momentText(t, zone), momentText(snapshot.At, zone))}
	}
	return &t, nil
}

func (z *zoneArg) location(s *link.Snapshot) (*time.Location, error) {
	if z.Zone != "" {
		zone, err := time.LoadLocation(z.Zone)
		if err != nil {
			return nil, fmt.Errorf("--zone: %.40q is no time zone that this machine knows: write one such as Europe/Lisbon, or UTC", wa.Clean(z.Zone))
		}
		return zone, nil
	}
	if s.Zone != "" {
		if zone, err := time.LoadLocation(s.Zone); err == nil {
			return zone, nil
		}
	}
	return time.Local, nil // daemon and command line share a machine
}

// momentText is a moment for people, with its day and zone.
func momentText(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("Mon 2 Jan 15:04 MST")
}

// rampArg is the shares of a list after which a campaign pauses for a look.
type rampArg struct{ shares []float64 }

// UnmarshalText takes it from the command line: "1%,5%,25%,100%".
func (r *rampArg) UnmarshalText(text []byte) error {
	const example = "write rising shares that end with the whole list, such as 1%,5%,25%,100%"
	var shares []float64
	for part := range strings.SplitSeq(string(text), ",") {
		number, percent := strings.CutSuffix(strings.TrimSpace(part), "%")
		share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		switch {
		case err != nil || !percent || !(share > 0 && share <= 100):
			return fmt.Errorf("%.40q is no share: %s", wa.Clean(part), example)
		case len(shares) > 0 && share/100 <= shares[len(shares)-1]:
			return errors.New("the shares do not rise: " + example)
		}
		shares = append(shares, share/100)
	}
	if shares[len(shares)-1] != 1 {
		return errors.New("the last share is not 100%: " + example)
	}
	r.shares = shares
	return nil
}
