package ui

import (
	"context"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"tickwatch/monitor/link"
)

// Still is a console without a terminal that shows one update, for measuring
// what drawing costs and for holding a real screen against.
type Still struct{ m *model }

// NewStill makes one on a dark screen of a size, in cells, with the colours of
// a profile. Of Options it uses ASCII, ReadOnly, Mode, Zone, Now and Env.
func NewStill(o Options, u link.Update, width, height int, p colorprofile.Profile) *Still {
	m := newModel(context.Background(), o.withDefaults())
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	m.Update(tea.ColorProfileMsg{Profile: p})
	m.update, m.raw, m.shown = u, u.Snapshot, cleaned(u.Snapshot)
	m.settle()
	return &Still{m}
}

// Press is a key that is pressed. What it would ask the daemon for is not asked.
func (s *Still) Press(key tea.KeyPressMsg) { s.m.Update(key) }

// View draws the frame: as many lines as the screen is high, with the styles
// that the model asks for before the terminal's profile thins them out.
func (s *Still) View() string { return s.m.View().Content }
