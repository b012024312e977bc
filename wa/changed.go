package wa

// Changed is one thing that a poll found to be otherwise than it was known: an entry
// of our own history, since Meta keeps none. One of Number, Template and Entity says
// whose it is.
type Changed struct {
	AccountID string `json:",omitempty"`
	Number    string `json:",omitempty"` // phone_number_id
	Display   string `json:",omitempty"` // its digits
	Template  int64  `json:",omitempty"`
	Name      string `json:",omitempty"` // of the template
	Language  string `json:",omitempty"`
	Entity    string `json:",omitempty"` // of a health: WABA, BUSINESS, APP
	What      string // one of the Changed constants
	Was       string `json:",omitempty"` // "" = it was not known
	Is        string
	Why       string  `json:",omitempty"` // of a health: what Meta says is in the way
	At        Instant `json:"-"`
}

// What can be Changed.
const (
	ChangedQuality    = "quality"
	ChangedStatus     = "status"
	ChangedLimit      = "limit"
	ChangedThroughput = "throughput"
	ChangedCategory   = "category"
	ChangedHealth     = "health"
)
