package ui

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/wa"
)

// maxText bounds one text on the screen, in bytes; longer ones are cut.
const maxText = 2000

// cleaned copies a value of the link with every text in it made fit for the
// screen. All foreign text passes here, and no field can be forgotten: the copy
// walks the whole value. The original keeps the exact ids that commands need.
func cleaned[T any](v *T) *T {
	out := new(T)
	copyClean(reflect.ValueOf(out).Elem(), reflect.ValueOf(v).Elem())
	return out
}

var timeType = reflect.TypeFor[time.Time]()

func copyClean(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(screenText(src.String()))
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			copyClean(dst.Elem(), src.Elem())
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				copyClean(dst.Index(i), src.Index(i))
			}
		}
	case reflect.Struct:
		if src.Type() == timeType {
			dst.Set(src)
			return
		}
		for i := range src.NumField() {
			copyClean(dst.Field(i), src.Field(i))
		}
	default:
		dst.Set(src)
	}
}

// screenText makes foreign text safe to draw and sure of its width. Terminals
// disagree about the width of flags and of emoji with skin tones, which would
// shift the columns behind them; each such sign becomes a question mark.
func screenText(s string) string {
	if len(s) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	s = wa.Clean(s)
	if ansi.StringWidth(s) == ansi.StringWidthWc(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		sign, width := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if ansi.StringWidthWc(sign) == width {
			b.WriteString(sign)
		} else {
			b.WriteByte('?')
		}
		s = s[len(sign):]
	}
	return b.String()
}
