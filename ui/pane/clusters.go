package pane

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// noTrait is what is said where failures were searched and nothing stands out.
const noTrait = "no common trait"

// trait is a cluster's trait in the words of people.
func (l Look) trait(k *link.Cluster) string {
	switch k.Attribute {
	case "country":
		return "country " + k.Value
	case "prefix":
		return "+" + k.Value + "…"
	case "template", "language":
		return k.Attribute + " " + k.Value
	case "carrier":
		return "numbers of " + k.Value
	case "number":
		return "sent from " + k.Value
	case "word":
		return "the word “" + k.Value + "”"
	case "lines":
		from, to, _ := strings.Cut(k.Value, "-")
		return "lines " + grouped(from) + "–" + grouped(to) + " of the list"
	case "minute":
		from, to, _ := strings.Cut(k.Value, "/")
		out := "sent at " + l.minute(from)
		if to != "" {
			out = "sent " + l.minute(from) + "–" + l.minute(to)
		}
		return out
	}
	if k.Value == "" {
		return "no " + k.Attribute
	}
	return k.Attribute + " = " + k.Value
}

func grouped(digits string) string {
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return count(n)
	}
	return digits
}

func (l Look) minute(s string) string {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return l.local(at).Format("15:04")
}

// commonLine says what most failures have in common, in one line; "" when nothing
// is known of it.
func (l Look) commonLine(c *link.Campaign, w int) string {
	if len(c.Clusters) == 0 {
		return ""
	}
	k := &c.Clusters[0]
	key := ""
	if Own(c) && Settable(k) && w >= 70 && !l.Replay && !l.ReadOnly && c.State != "cancelled" {
		key = "a sets aside"
		if c.Sending != nil && setAside(c.Sending, k) {
			key = "set aside"
		}
	}
	w -= len(key) + 1
	says := ": " + wholePercent(k.Explains) + " of the failures, " + wholePercent(k.Sends) + " of the sends"
	name := l.trait(k)
	if ansi.StringWidth(name) > w-len(says) {
		name = strings.TrimSuffix(name, " of the list") // the lines are what counts
	}
	name = clip(name, max(w-len(says), 8))
	line := l.Theme.Strong.Render(name) + l.Theme.Text.Render(clip(says, max(w-8, 0)))
	if key == "" {
		return line
	}
	return row(line, l.Theme.Dim.Render(key), w+len(key)+1)
}

// setAside tells whether what has a cluster's trait is set aside.
func setAside(s *link.Sending, k *link.Cluster) bool {
	trait := wa.Trait{Attribute: k.Attribute, Value: k.Value}
	return slices.ContainsFunc(s.Aside, func(a link.AsideTrait) bool { return trait.Same(wa.Trait{Attribute: a.Attribute, Value: a.Value}) })
}

// wholePercent prints a share without decimals; one that is not zero is no 0 %, and
// one that is not all no 100 %.
func wholePercent(share float64) string {
	n := math.Round(100 * share)
	switch {
	case share > 0 && n < 1:
		return "under 1 %"
	case share < 1 && n > 99:
		return "99 %"
	}
	return strconv.FormatFloat(n, 'f', 0, 64) + " %"
}

// clusterFigures are what stands behind a cluster.
func clusterFigures(k *link.Cluster) string {
	failed := count(k.Failed) + " of " + count(k.Sent) + " failed"
	if k.Code != 0 {
		failed += " with " + strconv.Itoa(k.Code)
	}
	return failed + ", " + times(k.Lift) + " the usual share; by chance: " + odds(k.PAdjusted)
}

func times(lift float64) string {
	if lift >= 10 {
		return strconv.FormatFloat(lift, 'f', 0, 64) + " times"
	}
	return strings.Replace(strconv.FormatFloat(lift, 'f', 1, 64), ".0", "", 1) + " times"
}

// odds prints a small chance in words.
func odds(p float64) string {
	if p < 1e-6 {
		return "under 1 in a million"
	}
	return "1 in " + count(int64(1/p))
}

// inCommon is what the failures with a code have in common, with the figures behind
// it: the best cluster that is about that code or about all, else that there is
// nothing; "" when that is not known.
func (l Look) inCommon(c *link.Campaign, code int) string {
	for i := range c.Clusters {
		if k := &c.Clusters[i]; k.Code == code || k.Code == 0 && k.MainCode == code {
			return strings.TrimSuffix(l.clusterFacts(k), ".") + ": " + clusterFigures(k) + ". " + k.Action
		}
	}
	return nothingInCommon(c)
}

// commonest is what all failures have in common, without the figures.
func (l Look) commonest(c *link.Campaign) string {
	if len(c.Clusters) > 0 {
		return l.clusterFacts(&c.Clusters[0]) + " " + c.Clusters[0].Action
	}
	return nothingInCommon(c)
}

func nothingInCommon(c *link.Campaign) string {
	if c.ClustersAt != nil {
		return "No common trait stands out."
	}
	return ""
}

func (l Look) clusterFacts(k *link.Cluster) string {
	return l.trait(k) + ": " + wholePercent(k.Explains) + " of all failures, " + wholePercent(k.Sends) + " of the sends."
}

// clusterExamples are the newest of the failures; "" when none came along.
func clusterExamples(k *link.Cluster) string {
	var people []string
	for _, e := range k.Examples {
		people = append(people, e.Phone)
	}
	if len(people) == 0 {
		return ""
	}
	return "For example " + strings.Join(people, ", ") + "."
}
