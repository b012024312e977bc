package list

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRejectsOpenInASpreadsheetAsTheyAre(t *testing.T) {
	var out bytes.Buffer
	r, err := NewRejects(&out)
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range []string{`=HYPERLINK("http://example.com","x")`, "+49 171", "-1", "@SUM(A1)", "\t=1", "a,\"b\"", "esc\x1b[31m\u202e", "", "plain"} {
		if err := r.Write(int64(i+2), NumberLetters.String(), value); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	const want = `line,reason,value
2,not a phone number,"'=HYPERLINK(""http://example.com"",""x"")"
3,not a phone number,'+49 171
4,not a phone number,'-1
5,not a phone number,'@SUM(A1)
6,not a phone number,' =1
7,not a phone number,"a,""b"""
8,not a phone number,esc[31m
9,not a phone number,
10,not a phone number,plain
`
	if got := out.String(); got != want {
		t.Errorf("%s", got)
	}
}

func TestNoRejectIsAFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		r, _ := NewRejects(&out)
		if err := r.Write(1, rapid.String().Draw(t, "reason"), rapid.String().Draw(t, "value")); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		for _, cell := range rows[1] {
			if cell = strings.TrimLeft(cell, " "); cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Fatalf("%q", cell)
			}
		}
	})
}
