package cli

import (
	"errors"
	"fmt"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// gateArgs say what is to be paused or resumed.
type gateArgs struct {
	ID      idArg      `arg:"" optional:"" name:"id" help:"Campaign, by id or name; without it, everything."`
	Number  idArg      `help:"Only what is sent from this number, by its phone_number_id." placeholder:"N"`
	Channel channelArg `help:"Only this channel: whatsapp, sms, voice or email." placeholder:"C"`
}

// channelArg is one way to reach people.
type channelArg string

var channels = []string{"whatsapp", "sms", "voice", "email"}

// UnmarshalText takes it from the command line.
func (c *channelArg) UnmarshalText(text []byte) error {
	for _, known := range channels {
		if strings.EqualFold(known, string(text)) {
			*c = channelArg(known)
			return nil
		}
	}
	return fmt.Errorf("%.40q is no channel: give one of %s", wa.Clean(string(text)), strings.Join(channels, ", "))
}

func (g *gateArgs) link() (link.GateArgs, error) {
	args := link.GateArgs{Scope: link.ScopeAll}
	named := 0
	for _, one := range [...]link.GateArgs{
		{Scope: link.ScopeCampaign, ID: string(g.ID)}, {Scope: link.ScopeNumber, ID: string(g.Number)}, {Scope: link.ScopeChannel, ID: string(g.Channel)},
	} {
		if one.ID != "" {
			args = one
			named++
		}
	}
	if named > 1 {
		return args, usageError{errors.New("give a campaign, a --number or a --channel, one at a time")}
	}
	return args, nil
}

// gateText names what a gate is before.
func gateText(scope, id string) string {
	id = wa.Clean(id)
	switch scope {
	case link.ScopeCampaign:
		return id
	case link.ScopeNumber:
		return "number " + id
	case link.ScopeChannel:
		return "channel " + id
	}
	return "everything"
}
