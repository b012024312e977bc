package list

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// flat gives all that markup reads, as one text, and why it ended.
func flat(in io.Reader) (string, error) {
	m := newMarkup(in)
	var out []byte
	for {
		t, err := m.next()
		if errors.Is(err, io.EOF) {
			return string(out), nil
		}
		if err != nil {
			return string(out), err
		}
		switch t {
		case opens:
			out = fmt.Appendf(out, "<%s", m.name)
			for _, a := range m.attrs {
				if value, err := appendResolved(nil, a.value); err == nil {
					out = fmt.Appendf(out, " %s=%q", local(a.name), value)
				} else {
					return string(out), err
				}
			}
			out = append(out, '>')
		case closes:
			out = fmt.Appendf(out, "</%s>", m.name)
		case chars:
			if m.literal {
				out, err = appendLiteral(out, m.text)
			} else {
				out, err = appendResolved(out, m.text)
			}
			if err != nil {
				return string(out), err
			}
		}
	}
}

// flatByStandard is flat with encoding/xml.
func flatByStandard(in io.Reader) (string, error) {
	d := xml.NewDecoder(in)
	var out []byte
	for depth := 0; ; {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return string(out), nil
		}
		if err != nil {
			return string(out), err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			out = fmt.Appendf(out, "<%s", t.Name.Local)
			for _, a := range t.Attr {
				out = fmt.Appendf(out, " %s=%q", a.Name.Local, a.Value)
			}
			out = append(out, '>')
		case xml.EndElement:
			depth--
			out = fmt.Appendf(out, "</%s>", t.Name.Local)
		case xml.CharData:
			if depth > 0 {
				out = append(out, t...)
			}
		}
	}
}

// FuzzMarkup: whatever is read, it ends, and is the same however it comes; what the
// standard library understands too, it understands in the same way.
func FuzzMarkup(f *testing.F) {
	for _, text := range []string{
		`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n" + `<a x="1" y='2>"'><b/>t &amp; &#x41;&#10;<!-- <c> --><![CDATA[<d>]]></a>`,
		`<x:sst><si><t xml:space="preserve"> a ` + "\r\n\r" + `</t></si></x:sst > <!-- end -->`,
		"\ufeff<a>\u00e9</a>", `<a><b></a></b>`, `<a b=c>`, `<a b="<">`, `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, `<a>&b;</a>`, `<a/><b/>`, `<a/>b`, "<a>\x01</a>", "<a>\xff</a>",
		`<?xml version="1.0" encoding="latin1"?><a/>`, `<a`, `</a>`, `<a></a`, `<a b = "c"d="e"/>`, `<!---->`, `<a>&#xD800;</a>`, `<a ><?p ?>`, "<a\n/\n>",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, err := flat(bytes.NewReader(text))
		again, errAgain := flat(iotest.OneByteReader(bytes.NewReader(text)))
		if whole != again || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Errorf("at once %q, %v; byte by byte %q, %v", whole, err, again, errAgain)
		}
		if err != nil {
			return
		}
		if standard, err := flatByStandard(bytes.NewReader(text)); err == nil && standard != whole {
			t.Errorf("%q is read as %q, by encoding/xml as %q", text, whole, standard)
		}
	})
}

// What has no end is given up before it fills the memory.
func TestEndlessMarkupIsNotHeld(t *testing.T) {
	for _, start := range []string{"<a>text ", "<a b='", "<a ", "<!-- ", "<a><![CDATA[", "<?p ", "<a>&", "</", "<a>", "<a><b ", " "} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m := newMarkup(io.MultiReader(strings.NewReader(start), forEver(">> '>' ")))
		var err error
		for err == nil {
			var one []byte
			if one, err = m.content(nil); err == nil {
				t.Errorf("%q ended with %d bytes", start, len(one))
			}
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 16*maxMarkup {
			t.Errorf("%q: %d MiB", start, got>>20)
		}
	}
	deep := strings.Repeat("<a>", 10*maxDepth)
	if _, err := flat(strings.NewReader(deep)); err == nil || !strings.Contains(err.Error(), "in one another") {
		t.Error(err)
	}
}

// forEver gives the same bytes for ever.
type forEver string

func (e forEver) Read(p []byte) (n int, _ error) {
	for n < len(p) {
		n += copy(p[n:], e)
	}
	return n, nil
}
