package wa

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed errors.csv
var errorsCSV string

// maxHint and maxTitle bound, in characters, the hint of every entry and the
// title that a webhook gives to a code we do not know.
const (
	maxHint  = 20
	maxTitle = 80
)

// catalogue is the parsed file. It is a part of the program, and a test parses
// it: that it cannot be read is no condition that could be met at run time.
var catalogue = sync.OnceValue(func() []ErrorCode {
	entries, err := parseCatalogue(strings.NewReader(errorsCSV))
	if err != nil {
		panic("errors.csv: " + err.Error())
	}
	return entries
})

// Catalogue lists all entries by code; a range follows the single code it
// begins with. The caller may change the list.
func Catalogue() []ErrorCode { return slices.Clone(catalogue()) }

// LookUp finds a code in the catalogue. A code's own entry wins over that of a
// range, whose entry comes with the code that was asked for.
func LookUp(code int) (ErrorCode, bool) {
	all := catalogue()
	i, found := slices.BinarySearchFunc(all, code, func(e ErrorCode, code int) int { return cmp.Compare(e.Code, code) })
	if found && all[i].Last == 0 {
		return all[i], true
	}
	for _, e := range all {
		if e.Code <= code && code <= e.Last {
			e.Code, e.Last = code, 0
			return e, true
		}
	}
	return ErrorCode{}, false
}

// Explain is the entry of a code that a failure carried, or one that says
// honestly that the catalogue does not know it, under the title that came with
// it. Code 0 is how StatusUpdate says that the failure carried no code; it is
// Meta's own code 0 only under that code's title.
func Explain(code int, title string) ErrorCode {
	if e, ok := LookUp(code); ok && (code != 0 || title == e.Title) {
		return e
	}
	title = Clean(strings.TrimSpace(Clean(title))) // again, because a mark may now come first
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle-1]) + "…"
	}
	e := ErrorCode{
		Code:        code,
		Title:       cmp.Or(title, "not in the catalogue"),
		Category:    CategoryUnknown,
		Cause:       "tickwatch does not know this code. Meta adds codes without notice.",
		Retry:       RetryAfterFix,
		Advice:      "Read Meta's details of the failed messages and look the code up in Meta's list. Do not retry before you know what it means. If such failures grow fast, pause.",
		Hint:        "see details",
		Suppression: SuppressNone,
		Fallback:    FallbackMaybe,
		Source:      "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
	}
	if code == 0 {
		e.Title = cmp.Or(title, "no error code given")
		e.Cause = "The failure came without an error code."
		e.Advice = "Read Meta's details of the failed messages. Do not retry before you know why they failed. If such failures grow fast, pause."
	}
	return e
}

var columns = []string{"code", "title", "category", "cause", "retry", "advice", "hint", "suppression", "fallback", "source"}

// The closed sets of the catalogue's columns.
var (
	categories = []string{
		CategoryAuth, CategoryPolicy, CategoryAccount, CategoryPayment, CategoryTemplate, CategoryMedia, CategoryRequest,
		CategoryRateLimit, CategoryQuality, CategoryPlatform, CategoryRecipient, CategoryWindow, CategoryOptOut,
		CategoryEngagement, CategoryExperiment,
	}
	retries      = []string{RetryNever, RetryLater, RetryBackoff, RetryAfterFix}
	suppressions = []string{SuppressNone, Suppress24h, SuppressUntilInbound, SuppressUntilUnblocked, SuppressPermanent}
	fallbacks    = []string{FallbackYes, FallbackNo, FallbackMaybe}
)

// parseCatalogue reads a catalogue and checks every field of it.
func parseCatalogue(r io.Reader) ([]ErrorCode, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = len(columns)
	head, err := c.Read()
	if err != nil {
		return nil, err
	}
	if !slices.Equal(head, columns) {
		return nil, fmt.Errorf("its columns are %v, not %v", head, columns)
	}
	var entries []ErrorCode
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		e, err := parseEntry(row)
		if err != nil {
			return nil, fmt.Errorf("code %s: %w", row[0], err)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, compareEntries)
	for i := 1; i < len(entries); i++ {
		if compareEntries(entries[i-1], entries[i]) == 0 {
			return nil, fmt.Errorf("code %d stands twice", entries[i].Code)
		}
	}
	return entries, nil
}

func compareEntries(a, b ErrorCode) int {
	return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Last, b.Last))
}

func parseEntry(row []string) (ErrorCode, error) {
	e := ErrorCode{
		Title: row[1], Category: row[2], Cause: row[3], Retry: row[4], Advice: row[5],
		Hint: row[6], Suppression: row[7], Fallback: row[8], Source: row[9],
	}
	first, last, isRange := strings.Cut(row[0], "-")
	var err error
	if e.Code, err = strconv.Atoi(first); err != nil || e.Code < 0 {
		return e, errors.New("is no number")
	}
	if isRange {
		if e.Last, err = strconv.Atoi(last); err != nil || e.Last <= e.Code {
			return e, errors.New("is no range")
		}
	}
	for i, field := range row {
		if field == "" || field != strings.TrimSpace(field) || field != Clean(field) {
			return e, fmt.Errorf("its %s %q is empty or not clean", columns[i], field)
		}
	}
	for _, f := range [...]struct {
		name, value string
		set         []string
	}{
		{"category", e.Category, categories},
		{"retry", e.Retry, retries},
		{"suppression", e.Suppression, suppressions},
		{"fallback", e.Fallback, fallbacks},
	} {
		if !slices.Contains(f.set, f.value) {
			return e, fmt.Errorf("its %s %q is none of %v", f.name, f.value, f.set)
		}
	}
	if utf8.RuneCountInString(e.Hint) > maxHint || e.Hint != strings.ToLower(e.Hint) {
		return e, fmt.Errorf("its hint %q is longer than %d characters or not lower case", e.Hint, maxHint)
	}
	return e, nil
}
