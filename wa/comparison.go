package wa

// Comparison is Meta's word on two templates of an account (whatsapp.md §3.10, §5).
// It holds no rate: Meta publishes none.
type Comparison struct {
	Template    int64    `json:"template"`
	Other       int64    `json:"other"`
	Days        int      `json:"days"`                   // the latest so many are compared
	BlockedLess int64    `json:"blocked_less,omitempty"` // which of the two people block less; 0 = not told
	Its         Compared `json:"its"`
	Others      Compared `json:"others"`
}

// Compared is what Meta tells of one of two templates.
type Compared struct {
	Sends  int64  `json:"sends,omitempty"`
	Reason string `json:"reason,omitempty"` // TOP_BLOCK_REASON: NO_SIGN_UP, SPAM, …; open
}
