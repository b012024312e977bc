package monitor_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/monitor"
	"tickwatch/wa"
)

// A line is what the contract says it is.
func TestLine(t *testing.T) {
	at := wa.Instant(1_795_161_600_123)
	const head = `{"received_at":"2026-11-20T08:00:00.123000Z","source":"meta","body":`
	for body, want := range map[string]string{
		`{"a":[1,2],"b":"<ê&>\u2028"}`: `{"a":[1,2],"b":"<ê&>\u2028"}`,
		`{"a" : 1.50e3}`:               `{"a" : 1.50e3}`,
		"{\n  \"a\": \"b\"\r\n}\n":     `{"a":"b"}`,
		"null":                         `null`,
		"no JSON\n\x1b[31m":            `"no JSON\n\u001b[31m"`,
		`{"a":1} and more`:             `"{\"a\":1} and more"`,
		`"a text"`:                     `"\"a text\""`,
		"":                             `""`,
		"{\"a\":\"\xff\"}":             `"{\"a\":\"\ufffd\"}","body_base64":"eyJhIjoi/yJ9"`,
	} {
		l := monitor.Line{ReceivedAt: at, Source: "meta", Body: []byte(body)}
		if got := string(l.Append(nil)); got != head+want+"}\n" {
			t.Errorf("%q:\n got %s want %s", body, got, head+want+"}\n")
		}
	}
}

// Whatever the body, its line is one line of JSON, reads back as the same bytes
// but for the space between the parts of JSON, and is written the same again.
func TestLineRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		body := rapid.OneOf(
			rapid.SliceOf(rapid.Byte()),
			rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
			rapid.Custom(document),
		).Draw(rt, "body")
		l := monitor.Line{
			ReceivedAt: wa.Instant(rapid.Int64Range(1_300_000_000_000, 4_000_000_000_000).Draw(rt, "at")),
			Source:     rapid.StringN(1, 20, -1).Draw(rt, "source"), Body: body,
		}
		line := l.Append(nil)
		if !json.Valid(line) || !utf8.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 || bytes.IndexByte(line, '\r') >= 0 {
			rt.Fatalf("%q is not one line of JSON", line)
		}
		got, err := monitor.ParseLine(line)
		if err != nil {
			rt.Fatalf("%q: %v", line, err)
		}
		want := l
		if want.Source = strings.ToValidUTF8(l.Source, "\ufffd"); json.Valid(body) {
			want.Body, got.Body = compact(body), compact(got.Body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("%q (-want +got):\n%s", line, diff)
		}
		back, _ := monitor.ParseLine(line)
		if again := back.Append(nil); !bytes.Equal(again, line) {
			rt.Fatalf("%q is written as %q", line, again)
		}
	})
}

// document is some JSON, spaced as nobody would.
func document(rt *rapid.T) []byte {
	value := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.Int64())).Draw(rt, "value")
	b, err := json.MarshalIndent(value, "", rapid.SampledFrom([]string{"", "  ", "\t"}).Draw(rt, "indent"))
	if err != nil {
		rt.Fatal(err)
	}
	space := rapid.SampledFrom([]string{"", " ", "\n", "\r\n\t"})
	return append(append([]byte(space.Draw(rt, "before")), b...), space.Draw(rt, "after")...)
}

func compact(b []byte) []byte {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return b
	}
	return out.Bytes()
}

func TestParseLineRefuses(t *testing.T) {
	for line, says := range map[string]string{
		`{"received_at":`: "no line of a recording",
		`[]`:              "no line of a recording",
		`{}`:              "received_at",
		`{"received_at":"2026-11-20T08:00:00Z","body":{}}`:                                    "source",
		`{"received_at":"2026-11-20T08:00:00Z","source":"meta"}`:                              "body",
		`{"received_at":"20 Nov","source":"meta","body":{}}`:                                  `"20 Nov"`,
		`{"received_at":"0001-01-01T00:00:00Z","source":"meta","body":{}}`:                    "0001",
		`{"received_at":1795161600,"source":"meta","body":{}}`:                                "no line of a recording",
		`{"received_at":"2026-11-20T08:00:00Z","source":"meta","body":{}} {}`:                 "no line of a recording",
		`{"received_at":"2026-11-20T08:00:00Z","source":"meta","body":"","body_base64":"%%"}`: "no line of a recording",
	} {
		if l, err := monitor.ParseLine([]byte(line)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %+v, %v", line, l, err)
		}
	}
}
