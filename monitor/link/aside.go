package link

// Verbs about setting a part of a campaign aside.
const (
	VerbAside    = "aside"     // AsideArgs → Asides
	VerbAsides   = "asides"    // CampaignArgs → Asides
	VerbAsideEnd = "aside-end" // AsideEndArgs → Asides
)

// AsideArgs sets aside what waits of a campaign and has a trait.
type AsideArgs struct {
	Campaign  string `json:"campaign"`
	Attribute string `json:"attribute"` // country, prefix, word, lines, or a column of the list
	Value     string `json:"value"`
	DryRun    bool   `json:"dry_run,omitempty"` // only counts
}

// AsideEndArgs releases what was set aside, or cancels it.
type AsideEndArgs struct {
	Campaign  string `json:"campaign"`
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
	Cancel    bool   `json:"cancel,omitempty"` // false = it goes out in its turn
}

// Asides is what a campaign has set aside.
type Asides struct {
	Changed int64   `json:"changed"` // messages that this command set aside, released or cancelled
	Already bool    `json:"already"` // there was nothing to do
	Text    string  `json:"text"`    // what was done, one sentence; "" of a list
	Aside   []Aside `json:"aside"`
}

// Aside is a trait whose messages are set aside.
type Aside struct {
	AsideTrait
	Messages int64 `json:"messages"` // that it holds back
}

// AsideTrait names a trait.
type AsideTrait struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

// String is the trait as `tickwatch aside` takes it.
func (t AsideTrait) String() string { return t.Attribute + "=" + t.Value }
