package ui

import (
	"bytes"
	"flag"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
)

// Sizes of a picture's cells, and its colours.
const (
	cellWidth, cellHeight = 9, 19
	pictureInk            = "#d0d7de"
	picturePaper          = "#0d1117"
)

// TestPictures keeps the README's pictures: real frames of the console, laid on
// a canvas and written as SVG. With -update they are drawn anew.
func TestPictures(t *testing.T) {
	const folder = "../.github/pictures"
	for _, p := range []struct {
		name, screen string
		w, h         int
	}{
		{"healthy", "healthy", 80, 24},
		{"trouble", "trouble", 80, 24},
		{"error", "detail", 80, 24},
		{"sending", "sending", 80, 24},
		{"paused", "receipt", 80, 24},
		{"resume", "resume", 80, 24},
		{"template", "swap_confirm", 80, 24},
		{"reach", "reach_confirm", 80, 24},
	} {
		t.Run(p.name, func(t *testing.T) {
			c := newConsole(t, p.w, p.h, Options{})
			for _, s := range screens {
				if s.name == p.screen {
					s.draw(c)
				}
			}
			got := svg(c.m.frame(), p.w, p.h)
			file := filepath.Join(folder, p.name+".svg")
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.MkdirAll(folder, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s does not show the console as it is (%v): run go test ./ui -update and look at it", file, err)
			}
		})
	}
}

// svg draws a frame as a picture that looks the same whatever the viewer's
// fonts: blocks and borders are shapes, texts are stretched to their cells.
func svg(frame string, w, h int) []byte {
	canvas := lipgloss.NewCanvas(w, h).Compose(lipgloss.NewLayer(frame))
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="15">`+"\n", w*cellWidth+20, h*cellHeight+20)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/><g transform="translate(10,10)">`+"\n", picturePaper)
	for y := range h {
		for x := 0; x < w; {
			run, style := "", ""
			start := x
			for ; x < w; x++ {
				cell := canvas.CellAt(x, y)
				ink := fmt.Sprint(hex(cell.Style.Fg), " ", cell.Style.Attrs)
				if run != "" && (ink != style || shape(cell.Content, x, y) != "" || shape(run, x, y) != "") {
					break
				}
				style, run = ink, run+cell.Content
			}
			cell := canvas.CellAt(start, y)
			paint(&b, run, x-start, start, y, hex(cell.Style.Fg), cell.Style.Attrs)
		}
	}
	b.WriteString("</g></svg>\n")
	return b.Bytes()
}

// paint draws one run of cells of the same style.
func paint(b *bytes.Buffer, run string, cells, x, y int, ink string, attrs uint8) {
	const bold, faint, reverse = 1, 2, 32 // as the cells carry them
	px, py := x*cellWidth, y*cellHeight
	more := ""
	if attrs&reverse != 0 {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", px, py, cells*cellWidth, cellHeight, ink)
		ink = picturePaper
	}
	if attrs&bold != 0 {
		more += ` font-weight="bold"`
	}
	if attrs&faint != 0 {
		more += ` opacity="0.6"`
	}
	text := strings.TrimRight(run, " ")
	if text == "" {
		return
	}
	if i := strings.Index("░▒▓", strings.Split(text+" ", "")[0]); i >= 0 {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" opacity="0.%d"/>`+"\n", px, py+2, cells*cellWidth, cellHeight-4, ink, i/len("░")*25+25)
		return
	}
	if s := shape(text, x, y); s != "" {
		fmt.Fprintf(b, `<path d="%s" fill="%s"%s/>`+"\n", s, ink, more)
		return
	}
	width := (cells - len(run) + len(text)) * cellWidth
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="%s"%s>%s</text>`+"\n",
		px, py+cellHeight-5, width, ink, more, text)
}

// shape is the outline of a block or border glyph; "" for every other text.
func shape(glyph string, x, y int) string {
	px, py, mx, my := x*cellWidth, y*cellHeight, cellWidth/2, cellHeight/2
	rect := func(x, y, w, h int) string { return fmt.Sprintf("M%d %dh%dv%dh%dz", x, y, w, h, -w) }
	if i := strings.Index("▁▂▃▄▅▆▇█", glyph); glyph != "" && i >= 0 && len(glyph) == len("█") {
		tall := (i/len("█") + 1) * cellHeight / 8
		return rect(px, py+cellHeight-tall, cellWidth, tall)
	}
	across, down := rect(px+mx, py+my, cellWidth-mx, 1), rect(px+mx, py+my, 1, cellHeight-my)
	back, up := rect(px, py+my, mx+1, 1), rect(px+mx, py, 1, my+1)
	return map[string]string{
		"─": rect(px, py+my, cellWidth, 1), "│": rect(px+mx, py, 1, cellHeight),
		"┌": across + down, "┐": back + down, "└": across + up, "┘": back + up,
	}[glyph]
}

func hex(c color.Color) string {
	if c == nil {
		return pictureInk
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
