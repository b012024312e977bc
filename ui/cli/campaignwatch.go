package cli

import (
	"context"
	"fmt"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type campaignWatchCmd struct {
	Number   idArg  `required:"" help:"Number that it is sent from, by its phone_number_id." placeholder:"N"`
	Name     string `help:"What to call it." placeholder:"NAME"`
	Template string `help:"The template that it sends, to be shown; Meta's webhooks do not name it." placeholder:"NAME[/LANG]"`
	List     string `help:"Only messages to the people of this list, a CSV or XLSX file." placeholder:"LIST"`
	Phone    string `help:"Column of the list with the phone numbers; else the one that looks like it." placeholder:"COLUMN"`
	Country  string `help:"Country of the list's numbers that name none, as two letters such as PT." placeholder:"CC"`
	Started  string `help:"When it started, or will; else now." placeholder:"TIME"`
	zoneArg
	JSON bool `name:"json" help:"Print the campaign as one JSON document."`
}

// Help gives an example.
func (campaignWatchCmd) Help() string {
	return `Example:
  tickwatch campaign watch --number 106540352242922 --template autumn_offer --started 08:00

For a campaign that another system sends without saying its name in biz_opaque_callback_data. tickwatch watches it; pausing it is that system's business.`
}

// Run declares a campaign.
func (c *campaignWatchCmd) Run(ctx context.Context, a *app) error {
	country, err := countryCode(c.Country)
	if err != nil {
		return err
	}
	args := link.WatchArgs{Number: string(c.Number), Name: c.Name, Phone: c.Phone, Country: country}
	if c.Template != "" {
		args.Template = anyLanguage(c.Template)
	}
	var list *listFile
	if c.List != "" {
		if list, err = openList(c.List); err != nil {
			return err
		}
		defer list.close()
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	if args.Started, err = c.moment(ctx, s, "--started", c.Started, true); err != nil {
		return err
	}
	if list != nil {
		b := a.bar()
		args.Upload, err = s.upload(ctx, list, b)
		b.end()
		if err != nil {
			return err
		}
	}
	var card link.Card
	if err := s.do(ctx, link.VerbWatch, args, &card); err != nil {
		return err
	}
	if c.JSON {
		return a.json(card)
	}
	from := "now"
	if args.Started != nil {
		from = momentText(*args.Started, time.Local)
	}
	return a.say(fmt.Sprintf("%s is watched from %s on: tickwatch status --campaign %s", wa.Clean(card.Name), from, shellWord(wa.Clean(card.ID))))
}

// anyLanguage names a template, of one language or of any.
func anyLanguage(text string) *link.TemplateRef {
	var t templateArg
	if t.UnmarshalText([]byte(text)) != nil {
		t.Name = text
	}
	return t.ref()
}
