package wa_test

import (
	"testing"

	"tickwatch/wa"
)

func TestFallbackAttempt(t *testing.T) {
	a := wa.FallbackAttempt{ID: 42, Token: "00112233445566778899aabbccddeeff"}
	if back, ok := wa.ParseFallbackAttempt(a.String()); !ok || back != a {
		t.Errorf("%v became %v, %v", a, back, ok)
	}
	for _, s := range []string{
		"", "42", "42-", "-00112233445566778899", "0-00112233445566778899", "042-00112233445566778899", "+42-00112233445566778899",
		"42-0011223344556677889G", "42-00112233", "42-../../etc/passwd0000", "9999999999999999999999-00112233445566778899",
	} {
		if a, ok := wa.ParseFallbackAttempt(s); ok {
			t.Errorf("%q was read as %v", s, a)
		}
	}
}
