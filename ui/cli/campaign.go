package cli

import (
	"fmt"

	"tickwatch/wa"
)

// campaignCmd are the commands about one campaign of our own.
type campaignCmd struct {
	Import campaignImportCmd `cmd:"" help:"Make a campaign of a recipient list. Nothing goes out yet."`
	Test   campaignTestCmd   `cmd:"" help:"Send it to own phones first, and judge how they arrive."`
	Start  campaignStartCmd  `cmd:"" help:"Send it, now or at a time."`
	Pace   campaignPaceCmd   `cmd:"" help:"Change how fast it goes out."`
	Cancel campaignCancelCmd `cmd:"" help:"Give up the rest: what still waits is not sent."`
	List   campaignListCmd   `cmd:"" help:"List the campaigns."`
	Show   campaignShowCmd   `cmd:"" help:"Show where one campaign stands."`
	Watch  campaignWatchCmd  `cmd:"" help:"Declare a campaign that another system sends."`
}

// campaignArg is the campaign that a command is about.
type campaignArg struct {
	ID idArg `arg:"" name:"id" help:"Campaign, by id or name."`
}

func (c campaignArg) name() string { return wa.Clean(string(c.ID)) }

// next is a line that says what one would do next.
func next(format string, args ...any) string { return fmt.Sprintf("Next: "+format+"\n", args...) }
