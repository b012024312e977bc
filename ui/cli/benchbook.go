package cli

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"os"

	"tickwatch/wa/sandbox"
)

const bookBegins = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n"

// bookParts are what a workbook has but for its sheet and its texts. Its styles
// are none, a day and two decimals.
var bookParts = map[string]string{
	"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
	"_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
	"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>`,
	"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
	"xl/styles.xml": `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/>` +
		`<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="2" applyNumberFormat="1"/></cellXfs></styleSheet>`,
}

// benchBook is a workbook that is being written.
type benchBook struct {
	archive *zip.Writer
	numbers map[string]int // of the texts that its cells share
	texts   []string
}

// writeBenchBook writes a list of the stand-in's people, all of whom agreed, as
// Excel saves a workbook: texts are shared between cells, half of which have one
// that no other has. Of numbers there are an amount and a day.
func writeBenchBook(path string, meta *sandbox.Sandbox, rows int) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := &benchBook{archive: zip.NewWriter(f), numbers: map[string]int{}}
	for name, content := range bookParts {
		if err := b.part(name, func(w *bufio.Writer) { _, _ = w.WriteString(content) }); err != nil {
			return err
		}
	}
	err = b.part("xl/worksheets/sheet1.xml", func(w *bufio.Writer) { b.sheet(w, meta, rows) })
	if err != nil {
		return err
	}
	err = b.part("xl/sharedStrings.xml", func(w *bufio.Writer) {
		fmt.Fprintf(w, `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="%d">`, len(b.texts))
		for _, text := range b.texts {
			_, _ = w.WriteString("<si><t>")
			_ = xml.EscapeText(w, []byte(text)) // Flush tells
			_, _ = w.WriteString("</t></si>")
		}
		_, _ = w.WriteString("</sst>")
	})
	return errors.Join(err, b.archive.Close())
}

func (b *benchBook) part(name string, write func(w *bufio.Writer)) error {
	to, err := b.archive.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(to, 1<<16)
	_, _ = w.WriteString(bookBegins)
	write(w)
	return w.Flush() // tells of any write that failed
}

func (b *benchBook) sheet(w *bufio.Writer, meta *sandbox.Sandbox, rows int) {
	_, _ = w.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	line := 1
	row := func(texts []string, numbers string) {
		fmt.Fprintf(w, `<row r="%d" spans="1:7">`, line)
		for column, text := range texts {
			fmt.Fprintf(w, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+column, line, b.shared(text))
		}
		_, _ = w.WriteString(numbers + "</row>")
		line++
	}
	row([]string{"phone", "first_name", "whatsapp_consent", "image", "order", "amount", "ordered_on"}, "")
	for p := range meta.People(rows) {
		texts := []string{p.Phone, fmt.Sprint(p.Name, " ", line/2), "yes", sandbox.CampaignMedia, fmt.Sprint("ORD-", 1_000_000+line)}
		row(texts, fmt.Sprintf(`<c r="F%d" s="2"><v>%d.%d</v></c><c r="G%[1]d" s="1"><v>%[4]d</v></c>`, line, line*17%900, line%100, 45_000+line*13%700))
	}
	_, _ = w.WriteString("</sheetData></worksheet>")
}

// shared gives the number of a text.
func (b *benchBook) shared(text string) int {
	n, known := b.numbers[text]
	if !known {
		n = len(b.texts)
		b.numbers[text], b.texts = n, append(b.texts, text)
	}
	return n
}
