package wa

// Reported is a figure about a campaign that a person read off WhatsApp Manager: Meta
// tells it in no webhook and by no request.
type Reported struct {
	What   string  `json:"what"`   // ReportedReports or ReportedBlocks
	People int64   `json:"people"` // in all, not since the figure before
	Source string  `json:"source"` // where it was read
	By     string  `json:"by"`     // who typed it
	At     Instant `json:"at"`     // when
}

// What a Reported counts.
const (
	ReportedReports = "reports" // people who reported a message
	ReportedBlocks  = "blocks"  // people who blocked the number
)
