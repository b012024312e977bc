// Package list reads recipient lists and judges them: what a file says, whom a
// message may go to, and what should be known before one does.
//
// A Reader takes CSV and XLSX as they are found in the wild and gives their rows
// in the order of the file. It is all or nothing: an error of Open or of a Reader
// means that the file cannot be read right, and that nothing of it may be used.
// Such an error is one clean line with file, line and column. A Judge turns rows
// into recipients, and into rejects that say why; a bad row never stops the next.
//
// The package is pure: it opens the file that it is given and no other, asks no
// network, and has no clock. What only the store knows (who opted out, who had
// enough) comes in as functions. Memory does not grow with the file, but for 12
// to 24 bytes a person, by which doubles are found. A Reader, a Judge and a
// Numbers each belong to one goroutine; Windows and Zones may be used by many.
package list

import (
	"fmt"
	"time"

	"tickwatch/wa"
)

// Finding is something that the pre-flight found.
type Finding struct {
	Severity string // OK, Watch or Act
	Text     string // one clean sentence for people
	Count    int64  // of what it speaks about; 0 where there is nothing to count
}

// Severities of a Finding. Act keeps a campaign from starting without force.
const (
	OK    = "ok"
	Watch = "watch"
	Act   = "act"
)

// Check is what was found of a list. Every row is counted once in Valid, Invalid,
// Duplicates, Suppressed, Refusers or LeftOut; together they are Rows.
type Check struct {
	Rows       int64 // with anything in them, the header not counted
	Valid      int64 // people that a message may go to
	Invalid    int64 // rows without a usable number, or without a value that the template needs
	Duplicates int64 // rows of a person who had one before
	Suppressed int64 // people who opted out, or whom a rule or the suppression list holds
	Refusers   int64 // people who had refused our marketing at Meta (131050)
	LeftOut    int64 // people whose consent is missing, and US numbers of a marketing campaign
	Capped     int64 // of Valid: people who have to wait, for they had enough messages lately

	Findings []Finding // what to act on first, then what to watch

	Duration time.Duration // of sending to Valid at the pace; 0 = no pace was given
	EndsAt   time.Time     // forecast, sending windows not counted; zero as Duration
}

// OK tells whether nothing was found that keeps a campaign from starting.
func (c *Check) OK() bool {
	for _, f := range c.Findings {
		if f.Severity == Act {
			return false
		}
	}
	return true
}

// Problem is why a list cannot be read, or not with what was asked for.
type Problem struct {
	File   string // its name, as the operator knows it
	Line   int64  // of the file, or row of the sheet, from 1; 0 = the file as a whole
	Column int    // from 1; 0 = the line as a whole
	Text   string // what is wrong, and what to do next
}

// Error is one clean line: where, what, and what to do next.
func (p *Problem) Error() string {
	text := p.File
	if p.Line > 0 {
		text += fmt.Sprintf(", line %d", p.Line)
	}
	if p.Column > 0 {
		text += fmt.Sprintf(", column %d", p.Column)
	}
	return wa.Clean(text + ": " + p.Text)
}
