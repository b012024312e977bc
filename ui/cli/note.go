package cli

import (
	"context"
	"errors"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type noteCmd struct {
	Text     []string `arg:"" help:"What the next one on call should know."`
	Campaign idArg    `help:"The campaign that it is about, by id or name." placeholder:"ID"`
	JSON     bool     `name:"json" help:"Print the note as one JSON document."`
}

// Help gives an example.
func (noteCmd) Help() string {
	return "Example:\n  tickwatch note --campaign autumn \"Paused until the agency sends the new picture, back at 14:00\"\n\nEvery console shows it, with who wrote it and when."
}

// Run leaves a note.
func (c *noteCmd) Run(ctx context.Context, a *app) error {
	text := strings.TrimSpace(strings.Join(c.Text, " "))
	if text == "" {
		return usageError{errors.New("the note is empty: give its text, in quotes")}
	}
	var left link.Action
	if err := a.call(ctx, link.VerbNote, link.NoteArgs{Text: text, Campaign: string(c.Campaign)}, &left); err != nil {
		return err
	}
	if c.JSON {
		return a.json(left)
	}
	return a.say("Noted: " + wa.Clean(text))
}
