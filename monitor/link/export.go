package link

// VerbExport asks for a stretch of a recording: ExportArgs → ExportPage.
const VerbExport = "export"

// What can be exported line by line.
const (
	ExportRecording = "recording" // the providers' bodies and our own side
	ExportWebhooks  = "webhooks"  // the providers' bodies alone
)

// ExportArgs asks for one page of an export. The pages, asked for one after the
// other and put together, are lines of JSON.
type ExportArgs struct {
	Kind     string     `json:"kind"`               // ExportRecording, ExportWebhooks
	Campaign string     `json:"campaign,omitempty"` // id or name; "" = everything
	From     ExportMark `json:"from"`               // Next of the page before; zero = the first page
}

// ExportMark is a place in an export; what it means is the daemon's business.
type ExportMark struct {
	Post   int64 `json:"post"`   // the last one that is done with
	Action int64 `json:"action"` // likewise
	Deed   int64 `json:"deed"`   // likewise, of the journal of our own side
	Last   int64 `json:"last"`   // the newest of the journal when the export began
	End    int64 `json:"end"`    // the newest post when the export began: what came later is not in it
	At     int64 `json:"at"`     // when it began, milliseconds; 0 = no daemon listened then
	Cut    int   `json:"cut"`    // bytes that were given of the line that follows
	Size   int   `json:"size"`   // of how many
}

// MaxExportText bounds ExportPage.Text, in bytes.
const MaxExportText = 1 << 20

// ExportPage is a stretch of an export. A line longer than a page goes on in the
// next one.
type ExportPage struct {
	Text  []byte      `json:"text"`
	Lines int64       `json:"lines"`          // that end in it
	Share float64     `json:"share"`          // of the way that is done, 0 to 1
	Next  *ExportMark `json:"next,omitempty"` // nil = this was the last page
}
