package webhook

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzScanAgainstEncodingJSON holds the scanner against encoding/json on any
// bytes: what is JSON and where it ends, and each key and value in it.
func FuzzScanAgainstEncodingJSON(f *testing.F) {
	files, err := filepath.Glob("../../testdata/webhooks/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no payloads: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, body := range oddities {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { scanAgainst(t, body) })
}

// oddities are what scanners get wrong.
var oddities = []string{
	"", " ", "\ufeff{}", "{} {}", "[]]", "[1,]", "[,1]", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{1:2}`, "[", `{"a":`, `{"a"`, `{"`,
	"{]", "[}", `{"a":1]`, "[1}", "[1 2]", `["a""b"]`, `{"a":1 "b":2}`, " \t\r\n[ 1 , { \"a\" : [ ] } ] \n", "\v1", "[1\x00]", "// 1",
	"0", "-0", "-", "+1", "01", "-01", "1.", ".1", "1.5", "1e", "1e+", "1E-7", "1e400", "1.e1", "0x1", "1_0", "NaN", "[0,-0.0e-0]", "12a", "--1",
	"true", "tru", "truex", "[true,false,null]", "nul", "nulll", "[falze]", "True",
	`"`, `"a`, `"\"`, `"\\"`, `"\\\"`, `"\a"`, `"\u12"`, `"\u12g4"`, `"\u12G4"`, `"\U0031"`, `"\/\b\f\n\r\t\"\\"`, "\"a\nb\"", "\"\x1f\"", "\"\x7f\"", "\"\t\"",
	`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\ud83d\ude00"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\u0041"`, `"\uD83D\uDE00 \ufffd \u0000"`,
	"\"\xff\"", "\"\xed\xa0\x80\"", "\"\xf0\x9f\x98\"", "\"é\xc3\"", "\"\xc0\xaf\xf8\"", "{\"\xff\\u0061\":1}", `{"st\u0061tus":"sent","status":1}`,
	`"1234567"`, `"12345678"`, `"1234567\"`, "\"12345678\x01\"", "\"1234567\x80\"", `"!!!!!!!!\\\\\\\\"`, "\"\x22\x23\"", "\"       \x1f\"",
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth),
	strings.Repeat(`[{"a":`, maxDepth/2) + "[]" + strings.Repeat("}]", maxDepth/2),
}

func scanAgainst(t *testing.T, body []byte) {
	t.Helper()
	var d document
	end := d.scan(body)

	first := json.NewDecoder(bytes.NewReader(body))
	var raw json.RawMessage
	err := first.Decode(&raw)
	if (err == nil) != (end >= 0) {
		t.Fatalf("%.200q: the scan ends at %d, encoding/json says %v", body, end, err)
	}
	if whole := end >= 0 && skipSpace(body, end) == len(body); whole != json.Valid(body) {
		t.Fatalf("%.200q: ends at %d of %d, encoding/json takes it for valid: %v", body, end, len(body), !whole)
	}
	if err != nil {
		return
	}
	if int64(end) != first.InputOffset() {
		t.Fatalf("%.200q: ends at %d, by encoding/json at %d", body, end, first.InputOffset())
	}
	want := json.NewDecoder(bytes.NewReader(body))
	want.UseNumber()
	if next := valueAgainst(t, value{&d, 0}, want); int(next) != len(d.tokens) {
		t.Fatalf("%.200q: %d tokens behind it", body, len(d.tokens)-int(next))
	}
}

// valueAgainst holds a value against what the Decoder gives next, and gives the
// index of the token behind it.
func valueAgainst(t *testing.T, v value, want *json.Decoder) (next uint32) {
	t.Helper()
	next = v.i + 1
	said := func() json.Token {
		token, err := want.Token()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	equal := false
	token := said()
	switch token := token.(type) {
	case json.Delim:
		if equal = v.kind() == byte(token); !equal {
			break
		}
		for want.More() {
			if token == '{' {
				if key, want := (value{v.of, next}).key(), said(); string(key) != want {
					t.Fatalf("key %q, want %q", key, want)
				}
				next++
			}
			next = valueAgainst(t, value{v.of, next}, want)
		}
		said()
	case string:
		text, ok := v.text()
		equal = ok && text == token
	case json.Number:
		equal = string(v.raw()) == token.String()
	case bool:
		equal = (string(v.raw()) == "true") == token
	case nil:
		equal = string(v.raw()) == "null"
	}
	if !equal || v.token().next != next || int64(v.token().end) != want.InputOffset() {
		t.Fatalf("%.80q up to %d, token %d; want %v up to %d, token %d", v.raw(), v.token().end, v.token().next, token, want.InputOffset(), next)
	}
	return next
}
