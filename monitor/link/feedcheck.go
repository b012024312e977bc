package link

// VerbCheckFeed looks whether webhooks can get here: no arguments → FeedChecks.
const VerbCheckFeed = "check_feed"

// FeedChecks are what the daemon found of its listener, its public address and its
// subscription with Meta.
type FeedChecks struct {
	Checks []FeedCheck `json:"checks"`
}

// FeedCheck is one of the doctor's checks, under the same names and in the same words.
type FeedCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`           // what was found
	Mend string `json:"mend,omitempty"` // what to do; of one that is OK, what to know
}
