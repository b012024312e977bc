package alarm

// Lines are where a campaign's figures are watched, and where it is time to act.
type Lines struct {
	DeliveryOK, DeliveryAct float64 // shares of messages that arrive
	ReportsOK, ReportsAct   float64 // opt-outs per delivery
	JudgeAfter              int64   // seconds until a message is judged
	Soon                    float64 // usual share of arrivals that come within a minute
	Own                     bool    // Soon is of the account's own campaigns
}

// Lines for what Meta chooses not to deliver: a healthy send has some per cent of it.
const (
	withheldWatch = 0.05
	withheldAct   = 0.10
)

// Campaign judges all of a campaign that is judged by its messages. It is for one
// goroutine.
type Campaign struct {
	delivery, withheld, late *rate
	reports                  *reports
}

// Judgement is what a Campaign comes to.
type Judgement struct {
	Delivery Verdict // by failures, without the withheld
	Withheld Verdict
	Late     Verdict // by messages undelivered after a minute
	Reports  Verdict // opt-outs
	Known    float64 // how much of the opt-outs of all deliveries can have come in yet, if they come soon
	Least    float64 // the same, if they come late: both are assumptions
}

// NewCampaign makes a Campaign of which nothing is known.
func NewCampaign(l Lines) *Campaign {
	return &Campaign{
		delivery: newDelivery(l.DeliveryOK, l.DeliveryAct, l.JudgeAfter),
		withheld: newWithheld(withheldWatch, withheldAct, l.JudgeAfter),
		late:     newLateness(l.DeliveryOK, l.DeliveryAct, l.Soon, l.Own),
		reports:  newReports(l.ReportsOK, l.ReportsAct),
	}
}

// Add adds to what is known of the messages whose clocks started in a Unix second.
func (c *Campaign) Add(at int64, d Sent) {
	c.delivery.Add(at, d)
	c.withheld.Add(at, d)
	c.late.Add(at, d)
	if d.Delivered != 0 {
		c.reports.Delivered(at, d.Delivered)
	}
}

// OptedOut adds people who opted out in the minute that begins at a second.
func (c *Campaign) OptedOut(minute, n int64) { c.reports.OptedOut(minute, n) }

// Judge judges at a moment, in Unix seconds. Moments do not go back.
func (c *Campaign) Judge(now int64) (j Judgement) {
	j.Delivery = c.delivery.Judge(now)
	j.Withheld = c.withheld.Judge(now)
	j.Late = c.late.Judge(now)
	j.Reports, j.Known, j.Least = c.reports.Judge(now)
	return j
}
