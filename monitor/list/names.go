package list

import (
	"encoding/hex"
	"strings"
	"time"

	"tickwatch/wa"
)

// NamesOptions say how a list of people is to be read who must not be written to.
type NamesOptions struct {
	Phone   string // column of the numbers or hashes; "" = the one that looks like it
	Country string // ISO 3166 code of numbers that are written without one; "" = none
	// Hashed says what cells without a prefix of their own are: HashHMAC, HashSHA256,
	// or "" for numbers.
	Hashed string
}

// Kinds of a hash; with a colon, the prefix of one in a cell.
const (
	HashHMAC   = "hmac"
	HashSHA256 = "sha256"
)

// Name is one of them.
type Name struct {
	Line     int64
	Number   string // E.164; "" where Hash is set
	Hash     []byte // 32 bytes
	Plain    bool   // Hash is a plain SHA-256
	Why      string // in the list's own words, if it has a column for that; foreign text
	Until    wa.Instant
	Channels wa.Channels // 0 = the list does not say

	Reason string // why the row names nobody; clean
	Value  string // of such a row, the cell; foreign text
}

// Names reads them.
type Names struct {
	list                         *Reader
	o                            NamesOptions
	numbers                      *Numbers
	column, why, until, channels int
	first                        string // a hash in the first line, which was taken for a column's name
}

// NewNames recognises the list's columns. An error says which cannot be found.
func NewNames(list *Reader, o NamesOptions) (_ *Names, err error) {
	n := &Names{list: list, o: o}
	if n.numbers, err = NewNumbers(o.Country); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		to   *int
		name string
	}{{&n.why, "reason"}, {&n.until, "until"}, {&n.channels, "channels"}} {
		if *c.to, err = findColumn(list.columns, c.name); err != nil {
			return nil, list.problem(0, 0, err.Error())
		}
	}
	if n.column, err = list.named(o.Phone); err != nil || n.column >= 0 {
		return n, err
	}
	if n.column = n.hashes(); n.column >= 0 {
		return n, nil
	}
	c := Columns{Country: -1, Language: -1, Email: -1}
	for ch := range c.Consent {
		c.Consent[ch] = -1
	}
	n.column, err = list.findPhone(&c, n.numbers)
	return n, err
}

// hashes finds the first column with nothing but hashes in the first rows; -1 = none.
func (n *Names) hashes() int {
	for i, name := range n.list.columns {
		all := len(n.list.sample) > 0
		for _, row := range n.list.sample {
			_, _, ok := n.hash(row.Cells[i])
			all = all && ok
		}
		if !all {
			continue
		}
		if _, _, ok := n.hash(name); ok {
			n.first = name
		}
		return i
	}
	return -1
}

// hash reads a hash: 64 hexadecimal digits, with or without its kind before it.
func (n *Names) hash(cell string) (sum []byte, plain, ok bool) {
	text := strings.ToLower(strings.TrimSpace(wa.Clean(cell)))
	kind := n.o.Hashed
	if prefix, rest, found := strings.Cut(text, ":"); found && (prefix == HashHMAC || prefix == HashSHA256) {
		kind, text = prefix, rest
	}
	sum, err := hex.DecodeString(text)
	if kind == "" || err != nil || len(sum) != 32 {
		return nil, false, false
	}
	return sum, kind == HashSHA256, true
}

// Next gives the next one; io.EOF after the last. A row that names nobody has a
// Reason.
func (n *Names) Next() (Name, error) {
	if n.first != "" {
		out := n.read(n.first)
		out.Line, n.first = 1, ""
		return out, nil
	}
	row, err := n.list.Next()
	if err != nil {
		return Name{}, err
	}
	out := n.read(row.Cells[n.column])
	out.Line = row.Line
	cell := func(column int) string {
		if column < 0 {
			return ""
		}
		return strings.TrimSpace(row.Cells[column])
	}
	out.Why = strings.TrimPrefix(cell(n.why), "'")
	if text := cell(n.until); text != "" && out.Reason == "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			out.Reason, out.Value = "until is no moment: write it as 2026-11-20T08:00:00Z, or leave it empty for ever", text
		}
		out.Until = wa.At(at)
	}
	if names := strings.FieldsFunc(cell(n.channels), func(r rune) bool { return r == ',' || r == ' ' }); len(names) > 0 && out.Reason == "" {
		if out.Channels, err = wa.ChannelsOf(names...); err != nil {
			out.Reason, out.Value = err.Error(), cell(n.channels)
		}
	}
	return out, nil
}

func (n *Names) read(cell string) (out Name) {
	var ok bool
	if out.Hash, out.Plain, ok = n.hash(cell); ok {
		return out
	}
	if n.o.Hashed != "" {
		out.Reason, out.Value = "no hash: 64 hexadecimal digits are one", cell
		return out
	}
	number, fault := n.numbers.Read(cell, "")
	if fault != NumberOK {
		out.Reason, out.Value = fault.String(), cell
		return out
	}
	out.Number = number.E164
	return out
}
