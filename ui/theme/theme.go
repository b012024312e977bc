// Package theme holds the console's colours and the spelling of its glyphs.
//
// A Theme is a plain value: New gives the one for a background and a colour
// profile, Stale the one for figures that are no longer live. No state is told
// by colour alone: every badge is also a word, and the words that must be seen
// are reversed, which survives NO_COLOR. ASCII spells a finished frame for
// terminals whose fonts or locale cannot show Unicode.
package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Theme is the set of styles that the panes draw with.
type Theme struct {
	Text   lipgloss.Style // ordinary text
	Strong lipgloss.Style // the figure, the name: what the eye should find
	Dim    lipgloss.Style // labels and second-rank text
	Title  lipgloss.Style // of a pane
	Border lipgloss.Style // of a pane
	Focus  lipgloss.Style // border and title of the pane that the arrow keys move in
	Chart  lipgloss.Style // bars and sparklines
	Key    lipgloss.Style // a key's name
	Cursor lipgloss.Style // the selected row's marker

	OK     lipgloss.Style // the word OK
	Watch  lipgloss.Style // the word WATCH
	Act    lipgloss.Style // the word ACT
	Unsure lipgloss.Style // the word UNSURE
	Paused lipgloss.Style // the word PAUSED, and every other state that must not be missed
}

// shade is one colour on a dark and on a light background, with the nearest of
// the sixteen colours that every terminal has.
type shade struct {
	dark, light string
	ansi        lipgloss.ANSIColor
}

// The palette. The dark shades are mid-tones, so that they can be read on a
// light background too until the terminal has told which one it has.
var (
	dim    = shade{"#8b949e", "#57606a", 8}
	line   = shade{"#6e7681", "#8c959f", 8}
	accent = shade{"#4c9be8", "#0b5cad", 6}
	good   = shade{"#3fae5a", "#1a7f37", 2}
	amber  = shade{"#d29922", "#8a5a00", 3}
	red    = shade{"#f0554b", "#c21d1d", 1}
	violet = shade{"#a97bea", "#6f42c1", 5}
)

// New gives the theme for a dark or light background. With sixteen colours or
// fewer it takes the terminal's own, which its owner chose to be readable.
func New(dark bool, profile colorprofile.Profile) Theme {
	c := func(s shade) color.Color {
		switch {
		case profile <= colorprofile.ANSI:
			return s.ansi
		case dark:
			return lipgloss.Color(s.dark)
		}
		return lipgloss.Color(s.light)
	}
	plain := lipgloss.NewStyle()
	fg := func(s shade) lipgloss.Style { return plain.Foreground(c(s)) }
	dimmed := fg(dim)
	if profile <= colorprofile.ANSI {
		dimmed = plain.Faint(true) // bright black is invisible on some consoles
	}
	return Theme{
		Text:   plain,
		Strong: plain.Bold(true),
		Dim:    dimmed,
		Title:  plain.Bold(true),
		Border: fg(line),
		Focus:  fg(accent),
		Chart:  fg(accent),
		Key:    fg(accent).Bold(true),
		Cursor: fg(accent).Bold(true),
		OK:     fg(good).Bold(true),
		Watch:  fg(amber).Bold(true).Reverse(true),
		Act:    fg(red).Bold(true).Reverse(true),
		Unsure: fg(amber).Bold(true),
		Paused: fg(violet).Bold(true).Reverse(true),
	}
}

// Stale gives the theme for figures that are kept on the screen although the
// link is gone: everything faint, nothing coloured, no badge standing out.
func Stale() Theme {
	faint := lipgloss.NewStyle().Faint(true)
	return Theme{
		Text: faint, Strong: faint, Dim: faint, Title: faint, Border: faint, Focus: faint,
		Chart: faint, Key: faint, Cursor: faint,
		OK: faint, Watch: faint, Act: faint, Unsure: faint, Paused: faint.Reverse(true),
	}
}
