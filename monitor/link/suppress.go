package link

import "time"

// Verbs about who is never written to, with the types of their arguments and results.
const (
	VerbSuppress       = "suppress"        // SuppressArgs → Suppressed
	VerbSuppressImport = "suppress_import" // SuppressImportArgs → Job
	VerbRelease        = "release"         // ReleaseArgs → Released
	VerbSuppressed     = "suppressed"      // SuppressedArgs → SuppressedPage
	VerbSuppression    = "suppression"     // nothing → Suppression
)

// SuppressAs says how people are put on the suppression list.
type SuppressAs struct {
	Reason   string     `json:"reason,omitempty"`
	Until    *time.Time `json:"until,omitempty"`    // nil = for ever
	Channels []string   `json:"channels,omitempty"` // that are closed to them; none = all
}

// MaxSuppress bounds SuppressArgs.Numbers.
const MaxSuppress = 1000

// SuppressArgs puts numbers on the suppression list.
type SuppressArgs struct {
	SuppressAs
	Numbers []string `json:"numbers"` // at most MaxSuppress, with their country code
}

// Suppressed says what was put on the list.
type Suppressed struct {
	Added    int64      `json:"added"`
	Renewed  int64      `json:"renewed"` // were on it before
	Rejected []Rejected `json:"rejected,omitempty"`
}

// SuppressImportArgs puts the people of an uploaded list on the suppression list.
type SuppressImportArgs struct {
	SuppressAs
	Upload  string `json:"upload"`
	Phone   string `json:"phone,omitempty"`   // column; "" = the one that looks like it
	Country string `json:"country,omitempty"` // ISO 3166 code, for numbers without one
	Hashed  string `json:"hashed,omitempty"`  // hmac, sha256; "" = numbers
}

// SuppressImport is what came of such a list.
type SuppressImport struct {
	Rows     int64 `json:"rows"`
	Added    int64 `json:"added"`
	Renewed  int64 `json:"renewed"`
	Rejected int64 `json:"rejected"`
	Plain    int64 `json:"plain"` // of those taken, by a plain SHA-256, whose numbers anybody can find by trying
}

// ReleaseArgs lets people be written to again: one, from the list and from rules or
// from one rule; all whom a rule holds; or with All alone, all who are on the list.
type ReleaseArgs struct {
	Number string `json:"number,omitempty"` // or BSUID
	Rule   string `json:"rule,omitempty"`
	All    bool   `json:"all,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"`
}

// Released says from what people were released, or would be.
type Released struct {
	People int64  `json:"people"`           // or entries, where the list is cleared
	Lifted []Held `json:"lifted,omitempty"` // of one person
	Kept   []Held `json:"kept,omitempty"`   // what holds this person on
}

// Held is one reason why somebody is not written to.
type Held struct {
	Number   string     `json:"number"` // E.164; "" = not known
	Hash     string     `json:"hash,omitempty"`
	BSUID    string     `json:"bsuid,omitempty"`
	Reason   string     `json:"reason"` // foreign text where there is no rule
	Rule     string     `json:"rule"`   // "" = put on the list by hand, or imported
	Since    *time.Time `json:"since"`
	Until    *time.Time `json:"until"`          // null = for ever, or until what Ends says
	Ends     string     `json:"ends,omitempty"` // what ends it, of a rule
	By       string     `json:"by,omitempty"`
	Channels []string   `json:"channels"` // that are closed
}

// MaxHeld bounds a page of them.
const MaxHeld = 500

// SuppressedArgs asks for a page of who is not written to.
type SuppressedArgs struct {
	Search string `json:"search,omitempty"` // a part of the number, the reason, the rule or the name of who did it
	Hashed bool   `json:"hashed,omitempty"` // numbers by their HMAC only
	From   string `json:"from,omitempty"`   // Next of the page before
}

// SuppressedPage is such a page. It can be empty and not the last.
type SuppressedPage struct {
	Held []Held `json:"held"`
	Next string `json:"next,omitempty"` // "" = this was the last one
}

// Suppression says how many people are not written to, and why.
type Suppression struct {
	Entries int64          `json:"entries"` // on the list
	Hashed  int64          `json:"hashed"`  // of these, known by a hash only
	Plain   int64          `json:"plain"`   // of these, by a plain SHA-256
	Rules   []SuppressRule `json:"rules"`
}

// SuppressRule is a rule and how many people it holds now.
type SuppressRule struct {
	Name      string   `json:"name"`
	Text      string   `json:"text"`
	Codes     []int    `json:"codes,omitempty"`
	AtLeast   int      `json:"at_least,omitempty"`    // failures
	WithinDay int      `json:"within_days,omitempty"` // 0 = ever
	Ends      string   `json:"ends"`
	Channels  []string `json:"channels"`
	Marketing bool     `json:"marketing"` // holds marketing only
	On        bool     `json:"on"`
	People    int64    `json:"people"`
}
