package wa

// ErrorCode is one entry of the error catalogue (errors.csv): what a code of
// the Cloud API means and what helps, in the marketer's words.
type ErrorCode struct {
	Code        int
	Title       string // Meta's title, or ours where Meta gives none
	Category    string // auth, account, template, recipient, engagement, experiment, opt_out, …
	Cause       string // why it happens
	Retry       string // never, later, backoff, after_fix
	Advice      string // what to do, one or two sentences
	Hint        string // the advice in at most 20 characters, for a narrow pane
	Suppression string // none, 24h, until_inbound, until_unblocked, permanent
	Fallback    string // may SMS reach the person instead: yes, no, maybe
	Source      string // where the entry comes from
}

// Withheld tells whether the code says that Meta chose not to deliver: no list
// clean-up and no pause mends these failures.
func (e ErrorCode) Withheld() bool { return e.Category == "engagement" || e.Category == "experiment" }
