package list

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// longWorkbook writes n people as Excel saves them: texts shared, in the order in
// which they were first met, about half of those in the cells different; an amount
// with two decimals, and a day.
func longWorkbook(tb testing.TB, n int) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "list.xlsx")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	part := func(name string, content func(w *bufio.Writer)) {
		to, err := archive.Create(name)
		if err != nil {
			tb.Fatal(err)
		}
		w := bufio.NewWriterSize(to, 1<<16)
		fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\r\n")
		content(w)
		if err := w.Flush(); err != nil {
			tb.Fatal(err)
		}
	}
	for name, content := range bookParts {
		part(name, func(w *bufio.Writer) { fmt.Fprint(w, content) })
	}
	numbers, texts := map[string]int{}, []string{}
	shared := func(text string) int {
		if _, ok := numbers[text]; !ok {
			numbers[text] = len(texts)
			texts = append(texts, text)
		}
		return numbers[text]
	}
	part("xl/worksheets/sheet1.xml", func(w *bufio.Writer) {
		fmt.Fprintf(w, `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:G%d"/><sheetData>`, n+1)
		for i := range n + 1 {
			row := []string{fmt.Sprintf("+49151%08d", i*7%100_000_000), fmt.Sprint("Ana ", i/2), "yes", fmt.Sprint("City ", i*31%997), fmt.Sprint("ORD-", 9_000_000+i)}
			if i == 0 {
				row = []string{"phone", "first_name", "whatsapp_consent", "city", "order"}
			}
			fmt.Fprintf(w, `<row r="%d" spans="1:7" x14ac:dyDescent="0.25">`, i+1)
			for c, text := range row {
				fmt.Fprintf(w, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+c, i+1, shared(text))
			}
			if i == 0 {
				fmt.Fprintf(w, `<c r="F1" t="s"><v>%d</v></c><c r="G1" t="s"><v>%d</v></c></row>`, shared("amount"), shared("ordered_on"))
				continue
			}
			fmt.Fprintf(w, `<c r="F%d" s="2"><v>%d.%d</v></c><c r="G%d" s="1"><v>%d</v></c></row>`, i+1, i*17%900, i%100, i+1, 45_000+i*13%700)
		}
		fmt.Fprint(w, `</sheetData><pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></worksheet>`)
	})
	part("xl/sharedStrings.xml", func(w *bufio.Writer) {
		fmt.Fprintf(w, `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="%d" uniqueCount="%d">`, 5*n+7, len(texts))
		for _, text := range texts {
			fmt.Fprintf(w, `<si><t>%s</t></si>`, text)
		}
		fmt.Fprint(w, `</sst>`)
	})
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// bookParts are the parts of a workbook with one sheet; its styles are none, a day
// and two decimals.
var bookParts = map[string]string{
	"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
		`<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`,
	"_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
	"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>`,
	"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>` +
		`<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
	"xl/styles.xml": `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`,
}

// BenchmarkWorkbook reads the same workbook with this package and with excelize
// alone; "times" is how much longer that takes.
func BenchmarkWorkbook(b *testing.B) {
	const people, fewer = 1_000_000, 20_000
	ours := func(b *testing.B, path string) (rows int) {
		r, err := Open(path, "list.xlsx")
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				return rows
			} else if err != nil {
				b.Fatal(err)
			}
			rows++
		}
	}
	theirs := func(b *testing.B, path string) (rows int) {
		book, err := excelize.OpenFile(path, excelize.Options{UnzipXMLSizeLimit: spillToDisk, TmpDir: b.TempDir(), ShortDatePattern: "yyyy-mm-dd"})
		if err != nil {
			b.Fatal(err)
		}
		defer book.Close()
		shown, err := book.Rows("People")
		if err != nil {
			b.Fatal(err)
		}
		defer shown.Close()
		for shown.Next() {
			if _, err := shown.Columns(); err != nil {
				b.Fatal(err)
			}
			rows++
		}
		return rows - 1
	}
	few := longWorkbook(b, fewer)
	b.Run("against excelize", func(b *testing.B) {
		var took [2]time.Duration
		for b.Loop() {
			for i, read := range []func(*testing.B, string) int{ours, theirs} {
				begin := time.Now()
				if n := read(b, few); n != fewer {
					b.Fatal(n)
				}
				took[i] += time.Since(begin)
			}
		}
		b.ReportMetric(float64(took[1])/float64(took[0]), "times")
	})
	b.Run("read", func(b *testing.B) {
		path := longWorkbook(b, people)
		b.ReportAllocs()
		for b.Loop() {
			if n := ours(b, path); n != people {
				b.Fatal(n)
			}
		}
		b.ReportMetric(people*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
