package list

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	shownHeld = 1 << 14  // cells of which it is known how they are shown
	shownLong = 64       // bytes of one, stored and shown
	asIs      = "\ufdd0" // stands for a text in what is shown of one; no character, so none has it
)

// formats knows how the styles of a workbook show what stands in a cell. Excelize
// says it, which takes it 10 to 300 µs for a number. So it is asked for examples
// first: what they tell of the usual formats needs no more asking.
type formats struct {
	book  *excelize.File
	sheet string // one of it, that is used to ask
	part  string // where it stands
	known map[int]*format
	shown map[styled]string
}

// styled is a cell without its place.
type styled struct {
	style       int
	kind, value string
}

// Kinds of cells (ECMA-376 part 1, 18.18.11).
const (
	kindNumber  = "" // of it too what says nothing and is none
	kindBool    = "b"
	kindMoment  = "d" // in ISO 8601
	kindShared  = "s"
	kindFormula = "str"
	kindText    = "inlineStr"
)

// format is how a style shows a cell.
type format struct {
	text     string // what is shown of a text, with asIs in its place
	plain    bool   // numbers as they are
	general  bool   // numbers as they are, shortened from twelve digits on
	decimals int    // so many behind the point of each number; -1 = otherwise
	layout   string // numbers as moments; "" = otherwise
}

// formatsOf uses a sheet of a workbook to ask in. It stands in part, and goes.
func formatsOf(book *excelize.File, sheet, part string) *formats {
	none := &format{text: asIs, plain: true, decimals: -1}
	return &formats{book: book, sheet: sheet, part: part, known: map[int]*format{0: none}, shown: map[styled]string{}}
}

// appendText appends a text as a style shows it.
func (f *formats) appendText(dst, value []byte, style int) []byte {
	shown := f.of(style).text
	if shown == asIs {
		return append(dst, value...)
	}
	return append(dst, strings.ReplaceAll(shown, asIs, string(value))...)
}

// appendNumber appends a number as a style shows it, and as it is what is none.
func (f *formats) appendNumber(dst, value []byte, style int) []byte {
	n, ok := number(string(value))
	if !ok {
		return f.appendText(dst, value, style)
	}
	if shown, ok := f.of(style).show(dst, value, n); ok {
		return shown
	}
	return f.appendAsked(dst, styled{style, kindNumber, string(value)})
}

// appendAsked appends any cell, for which excelize is asked unless it was lately.
func (f *formats) appendAsked(dst []byte, cell styled) []byte {
	shown, ok := f.shown[cell]
	if !ok {
		shown = f.ask(cell)
		if len(f.shown) == shownHeld {
			clear(f.shown)
		}
		if len(cell.value)+len(shown) <= shownLong {
			f.shown[cell] = shown
		}
	}
	return append(dst, shown...)
}

// ask lets excelize show a cell.
func (f *formats) ask(cell styled) string {
	var sheet bytes.Buffer
	fmt.Fprintf(&sheet, `<worksheet><sheetData><row r="1"><c r="A1" s="%d" t="%s"><v>`, cell.style, cell.kind)
	_ = xml.EscapeText(&sheet, []byte(cell.value)) // a buffer takes all
	sheet.WriteString("</v></c></row></sheetData></worksheet>")
	f.book.Pkg.Store(f.part, sheet.Bytes())
	rows, err := f.book.Rows(f.sheet)
	if err != nil || !rows.Next() {
		return cell.value
	}
	cells, err := rows.Columns()
	switch {
	case err != nil:
		return cell.value
	case len(cells) == 0:
		return ""
	}
	return cells[0]
}

// of gives a style's format.
func (f *formats) of(style int) *format {
	known := f.known[style]
	if known == nil {
		known = f.learn(style)
		f.known[style] = known
	}
	return known
}

// Examples by which a format is known for one of the usual.
var (
	plainExamples   = []string{"0", "-3", "1000", "12345678901", "491712345678", "-0.25", "1234.5", "0.12345678901234", "1E+21", "44259.64348379630"}
	decimalExamples = []string{"0", "7", "1000", "123456789012345", "0.25", "2.675", "1234.5", "999999999.99", "44259.64348379630"}
	momentExamples  = []string{moment, "45000", "36492.29732638889", "40179.5", "47847.99998", "62.5", "43210.123456789"}
)

// moment is 15:26:37 on the fourth of March 2021, of which every part can be told
// from any other, as a spreadsheet counts days. momentParts are they, and what stands for them
// in Go's layouts.
const moment = "44259.64348379630"

var (
	momentParts = map[string]string{"2021": "2006", "21": "06", "03": "01", "3": "1", "04": "02", "4": "2", "15": "15", "26": "04", "37": "05"}
	digitsOf    = regexp.MustCompile(`\d+`)
)

func (f *formats) learn(style int) *format {
	text := f.ask(styled{style, kindText, asIs})
	layout := digitsOf.ReplaceAllStringFunc(f.ask(styled{style, kindNumber, moment}), func(part string) string { return momentParts[part] })
	_, decimals, _ := strings.Cut(f.ask(styled{style, kindNumber, "1234.5"}), ".")
	for _, usual := range []struct {
		format
		examples []string
	}{
		{format{text, true, false, -1, ""}, plainExamples},
		{format{text, false, true, -1, ""}, plainExamples},
		{format{text, false, false, len(decimals), ""}, decimalExamples},
		{format{text, false, false, -1, layout}, momentExamples},
	} {
		if f.agrees(style, &usual.format, usual.examples) {
			return &usual.format
		}
	}
	return &format{text: text, decimals: -1}
}

// agrees tells whether a format shows examples as the style does, of those that it can show.
func (f *formats) agrees(style int, as *format, examples []string) bool {
	for _, example := range examples {
		n, _ := number(example)
		shown, ok := as.show(nil, []byte(example), n)
		if ok && string(shown) != f.ask(styled{style, kindNumber, example}) {
			return false
		}
	}
	return true
}

const (
	// Days after and before which spreadsheets and calendars agree: Excel has a 29th
	// of February 1900, and nothing after the year 9999.
	firstDay, lastDay = 62, 2_958_465
	roundedBelow      = 1e9 // a number with decimals that are counted out
)

// show appends a number, which is n, if the format is one of the usual.
func (f *format) show(dst, value []byte, n float64) ([]byte, bool) {
	if isShort(value) && (f.plain || f.decimals == 0 || f.general && len(value) <= 11) {
		return append(dst, value...), true
	}
	var room [32]byte
	plain := appendPlain(room[:0], n)
	n, _ = number(string(plain)) // what has more digits is rounded twice
	switch {
	case f.plain, f.general && digits(strconv.AppendFloat(nil, n, 'f', -1, 64)) <= 11:
		return append(dst, plain...), true
	case f.general:
		return strconv.AppendFloat(dst, n, 'G', 10, 64), true
	case f.decimals >= 0 && n >= 0 && n < roundedBelow:
		unit := math.Pow(10, float64(f.decimals))
		return strconv.AppendFloat(dst, math.Abs(math.Round(n*unit)/unit), 'f', f.decimals, 64), true
	case f.layout != "" && n > firstDay && n < lastDay:
		at, err := excelize.ExcelDateToTime(n, false)
		return at.AppendFormat(dst, f.layout), err == nil
	}
	return dst, false
}

// number reads one as excelize does.
func number(value string) (float64, bool) {
	n, err := strconv.ParseFloat(value, 64)
	return n, err == nil && !strings.Contains(value, "_")
}

// isShort tells a whole number that is the same however it is read and written.
func isShort(value []byte) bool {
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(value) > 0 && len(value) <= 15 && (value[0] != '0' || len(value) == 1)
}

// appendPlain appends a number with the fifteen digits that spreadsheets count on.
func appendPlain(dst []byte, n float64) []byte {
	plain := strconv.AppendFloat(dst, n, 'f', -1, 64)
	if digits(plain[len(dst):]) <= 15 {
		return plain
	}
	return strconv.AppendFloat(dst, n, 'G', 15, 64)
}

// digits counts them, and the sign, as excelize does.
func digits(plain []byte) int { return len(plain) - bytes.Count(plain, []byte{'.'}) }
