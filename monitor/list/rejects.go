package list

import (
	"encoding/csv"
	"io"
	"strconv"

	"tickwatch/wa"
)

// Rejects writes the rows that no message comes of, as CSV for the operator:
// line, reason, value. The file opens in a spreadsheet as what it is: no value is
// taken for a formula there.
type Rejects struct{ csv *csv.Writer }

// NewRejects writes the header.
func NewRejects(w io.Writer) (*Rejects, error) {
	r := &Rejects{csv.NewWriter(w)}
	return r, r.csv.Write([]string{"line", "reason", "value"})
}

// Write takes a row: its line in the list, why it was rejected, and the value of
// which that speaks, as it stood.
func (r *Rejects) Write(line int64, reason, value string) error {
	return r.csv.Write([]string{strconv.FormatInt(line, 10), wa.Guard(wa.Clean(reason)), wa.Guard(wa.Clean(value))})
}

// Close writes what is still held back. The writer below stays open.
func (r *Rejects) Close() error {
	r.csv.Flush()
	return r.csv.Error()
}
