// Package notify tells people and systems that are no recipients what happens.
//
// The rejected list goes to a Google Sheet (Sheet): every message that failed or
// was refused is a row of it, at least once and in the order in which it was told,
// whatever crashes. No row is lost: it leaves the queue on disk when the sheet has
// confirmed it. As the API knows no idempotency key, a batch of which no answer
// came is looked for in the sheet before it is appended again; a row can be there
// twice only if the sheet was changed by others meanwhile in a way that hides the
// first, or if Google carries a request out after it was given up. Nothing waits
// for the sheet: it reads behind, on connections that only read.
//
// People are told of alarms (Notifier) in chats, by e-mail, a signed webhook or a
// command of theirs. Each place has a worker of its own, which is shown how the
// alarms stand and knows what the place was told: it tells the difference. So a
// place hears of each alarm at most three times, and in this order: raised, grown
// from watch to act, cleared; after a snooze once more that it still stands. What
// comes within a second and a half is one message. A place that does not answer is
// tried again after 5 s, then after twice as long each time up to 5 min, for as long
// as there is something to tell; it then hears how things are, not how they were. An
// alarm that comes back within 15 min no worse than before is told when it has stood
// for 5 min. What was told is on disk: a restart repeats nothing but what was being
// sent when the daemon ended, and tells what it could not. Nothing waits for any of it.
package notify
