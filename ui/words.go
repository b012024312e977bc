package ui

import "tickwatch/ui/pane"

// words explains the screen's words in the help.
var words = pane.HelpSection{
	Title: "What the screen says",
	Rows: [][2]string{
		{"OK WATCH ACT", "The verdict on a figure: well, look at it again soon, do something now."},
		{"UNSURE", "Too few messages are decided to say."},
		{"LIVE, STALE", "Whether this console hears the daemon. STALE keeps the last figures, dimmed, and says how old they are; it becomes LIVE again by itself."},
		{"PAUSED", "Nothing is sent any more: of this campaign, of one of its numbers, or, as ALL PAUSED, of anything at all. Beside it stands who paused, since when and why."},
		{"WAITING", "Nobody paused, and nothing goes out just now; beside it stands why. ALL SENT: nothing waits any more."},
		{"UNCONFIRMED", "Another system sends the campaign, and has not said that it stopped. tickwatch cannot stop it: pause it there."},
		{"arrived, of", "Of the messages whose fate is known, the share that is on the phone, read ones included. Those without an answer count neither way."},
		{"by minute", "One bar for each minute's messages: the share of them that arrived, from 70 % at the bottom to 100 % at the top."},
		{"likely, by 30:00", "What the share at minute 30 will probably be, from how quickly messages arrived so far."},
		{"no answer yet", "Meta has the message and has not said what became of it: a phone that is off, or a slow network."},
		{"Meta chose not", "Failures that are Meta's own decision (131049, 130472). Cleaning the list does not help; they are part of the failed."},
		{"opt-outs", "People who said stop in this campaign, of those it reached. Meta publishes no count of reports or blocks, so this stands in for it."},
		{"past refusers", "People who had opted out before this campaign: a fault of the list."},
		{"going out now", "Requests on their way to Meta. A pause lets them end; it keeps everything that waits."},
		{"may have gone", "The request left and Meta's answer never came. Never sent again by itself: a webhook settles it, or you do, with tickwatch resolve."},
		{"NOTE", "What another operator left for you. It stands there until n shows it."},
		{"Queue's shades", "The share of the messages with Meta: █ three quarters and more, ▓ a quarter and more, ▒ a tenth and more, ░ fewer. Arrived should be darkest, failed lightest."},
		{"feed", "The webhooks from Meta. Idle is silence that nobody need fear; stalled is silence while answers are due."},
		{"not understood", "Signed webhooks that tickwatch kept but could not read. Nothing is lost."},
		{"duplicates", "News that Meta sent more than once; they count once. The key f shows how many."},
		{"refused", "Webhooks without a right signature; they count nowhere."},
	},
}
