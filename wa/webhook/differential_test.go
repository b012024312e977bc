package webhook_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa/webhook"
)

// against holds Decode against the reference: the same news, the same count of
// what was not understood, and the same words for it.
func against(t *testing.T, body []byte) {
	t.Helper()
	want, got := reference("meta", body, received), webhook.Decode("meta", body, received)
	if !reflect.DeepEqual(want, got) { // much quicker than what tells them apart
		t.Fatalf("%.300q: -encoding/json +Decode:\n%s", body, cmp.Diff(want, got))
	}
}

// placed puts foreign bytes where a body, an element of changes[], a value and an
// element of statuses[] belong.
func placed(foreign []byte) [][]byte {
	const entry = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[`
	return [][]byte{
		foreign,
		[]byte(entry + string(foreign) + `]}]}`),
		[]byte(entry + `{"value":` + string(foreign) + `,"field":"messages"}]}]}`),
		envelope(string(foreign) + "," + status("wamid.GOOD", "")),
	}
}

// FuzzDecodeAgainstEncodingJSON compares the two on any bytes.
func FuzzDecodeAgainstEncodingJSON(f *testing.F) {
	for _, body := range payloadFiles(f) {
		f.Add(body)
	}
	f.Add(batch(2))
	f.Add(crowd(6))
	f.Add([]byte(`{"id":"\ud800\"\\","st\u0061tus":"\u0073ent","timestamp":"\u0031","recipient_id":3519e3}`))
	f.Add([]byte(`{"id":"é\xff","status":"failed","timestamp":"+5","pricing":{"type":[]},"errors":[{"code":1.0,"\xff":0}]}`))
	f.Fuzz(func(t *testing.T, foreign []byte) {
		for _, body := range placed(foreign) {
			against(t, body)
		}
	})
}

// FuzzDecodeDamagedAgainstEncodingJSON compares the two on real payloads of which
// some bytes are replaced.
func FuzzDecodeDamagedAgainstEncodingJSON(f *testing.F) {
	files := payloadFiles(f)
	names := slices.Sorted(maps.Keys(files))
	for i := range names {
		f.Add(i, 40+10*i, 1, []byte(`\u00`))
	}
	f.Fuzz(func(t *testing.T, file, at, cut int, put []byte) {
		body := files[names[uint(file)%uint(len(names))]]
		against(t, damaged(body, at, cut, put))
	})
}

// damaged is a body without the cut bytes at at, and with others in their place.
func damaged(body []byte, at, cut int, put []byte) []byte {
	from := int(uint(at) % uint(len(body)+1))
	to := from + int(uint(cut)%uint(len(body)-from+1))
	return slices.Concat(body[:from], put, body[to:])
}

// Wherever a payload breaks off or has a byte that is another, both make the
// same of it.
func TestDecodeDamagedPayloads(t *testing.T) {
	others := []string{`"`, `\`, "{", "}", "[", "]", ",", ":", "0", "-", "e", " ", "\x00", "\xff", "é"}
	for name, body := range payloadFiles(t) {
		t.Run(name, func(t *testing.T) {
			for at, c := range body {
				switch {
				case c == ' ':
				case at%3 == 0:
					against(t, body[:at])
				default:
					against(t, damaged(body, at, 1, []byte(others[at%len(others)])))
				}
			}
		})
	}
}
