package wa

// Told is the latest that a place was told of an alarm: a chat, a webhook, a command.
type Told struct {
	Target string // names the place, and is none of its secrets
	Alarm  int64
	Raised Instant // when the alarm was
	Stage  ToldStage
	At     Instant
}

// ToldStage is how far an alarm had got when it was told of.
type ToldStage int

// Stages of a Told. They only grow.
const (
	ToldNothing ToldStage = iota
	ToldWatch
	ToldAct
	ToldCleared
)
