package link

import "time"

// VerbRows asks for a stretch of a table: RowsArgs → RowsPage.
const VerbRows = "rows"

// Tables that can be exported.
const (
	RowsRejected = "rejected" // messages that failed or were refused, as wa.RejectedColumns
	RowsMessages = "messages" // messages, with state, times and the columns of their list
	RowsCleanup  = "cleanup"  // people whom messages do not reach, with a reason
	RowsFallback = "fallback" // messages by other channels, with state, reason and cost
)

// RowsArgs asks for one page of a table. The pages, asked for one after the other
// and put together, are the table.
type RowsArgs struct {
	Kind     string     `json:"kind"`               // one of the Rows constants
	Campaign string     `json:"campaign,omitempty"` // id or name; "" = all of them; not for RowsCleanup
	Only     RowsFilter `json:"only"`               // of RowsMessages
	Masked   bool       `json:"masked,omitempty"`   // phones are masked, and columns of lists left out
	From     RowsMark   `json:"from"`               // Next of the page before; zero = the first page
}

// RowsFilter says which messages are wanted; those for which all of it holds.
type RowsFilter struct {
	From   *time.Time  `json:"from,omitempty"`   // of the message's clock: accepted or refused, else sent
	To     *time.Time  `json:"to,omitempty"`     // likewise, and before
	Codes  []int       `json:"codes,omitempty"`  // it failed, and its last code is one of these; none = any
	Number string      `json:"number,omitempty"` // sent from: phone_number_id or number
	Where  []RowsWhere `json:"where,omitempty"`
}

// RowsWhere wants a value in a column of the list; or, where the list has no such
// column, of the phone number: "country" (ISO 3166), "prefix" (its first digits).
type RowsWhere struct {
	Column string `json:"column"`
	Value  string `json:"value"`
}

// RowsMark is a place in a table; what it means is the daemon's business.
type RowsMark struct {
	Began         bool   `json:"began,omitempty"`
	Message       int64  `json:"message,omitempty"`        // the last one that is done with
	LastMessage   int64  `json:"last_message,omitempty"`   // the newest when the export began: what came later is not in it
	Recipient     int64  `json:"recipient,omitempty"`      // of the queue; as the two above
	LastRecipient int64  `json:"last_recipient,omitempty"` //
	Fallback      int64  `json:"fallback,omitempty"`       // likewise, by other channels
	LastFallback  int64  `json:"last_fallback,omitempty"`  //
	Person        int64  `json:"person,omitempty"`         // likewise
	LastPerson    int64  `json:"last_person,omitempty"`    //
	LastCampaign  int64  `json:"last_campaign,omitempty"`  // whose list has columns in it
	At            int64  `json:"at,omitempty"`             // when it began, milliseconds
	Key           string `json:"key,omitempty"`            // of what the daemon keeps for it
}

// RowsColumn is a column of a table.
type RowsColumn struct {
	Name   string `json:"name"`             // each different from the others
	Number bool   `json:"number,omitempty"` // its cells are whole numbers, or empty
}

// RowsPage is a stretch of a table. It may have no rows and yet not be the last.
type RowsPage struct {
	Columns []RowsColumn `json:"columns"` // the same on every page
	Rows    [][]string   `json:"rows"`    // cells by Columns, clean; "" = not known
	Share   float64      `json:"share"`   // of the way that is done, 0 to 1
	Next    *RowsMark    `json:"next,omitempty"`
}
