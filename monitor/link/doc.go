// Package link is what passes between the daemon and its consoles: the newest
// Snapshot one way, Commands and their Acks the other, as JSON in websocket
// text frames over a Unix socket. Both ends live here. One-shot commands use
// the same socket and the same frames.
//
// What the daemon's end (Server) guarantees:
//
//   - State, not events. A console gets the newest snapshot as its first frame
//     and then whenever there is a newer one; those in between may be skipped.
//     Nothing is queued for it but the answers to its own commands.
//   - Publish never waits for a console. A slow or stuck one holds up neither
//     Publish nor any other console; it is dropped when a frame to it stays
//     unwritten for Timing.Write, or when nothing came from it for Timing.Dead.
//   - Each command is answered once, with its ID, for as long as the link
//     lasts. Commands of one console run side by side, so answers may overtake
//     each other, and a slow query does not hold up a pause behind it.
//   - The same ID from the same user runs once, over however many links it
//     came: repeats get the first answer, or wait for it. The last 256 answers
//     of this process are remembered, for ten minutes, but not those of verbs
//     that do no harm when they run again; what must run once across a restart
//     of the daemon, the Handler must keep by Command.ID.
//   - A command runs on when its console goes; its answer waits for the repeat.
//   - Only processes of the daemon's own user, or of root, get in, by the
//     kernel's word. Web pages (anything with an Origin) never do.
//
// What the console's end (Client) guarantees: it reconnects for ever, notices
// a silent daemon as well as a dead one, never blocks its owner, and repeats a
// command that lost its link before the answer, under the same ID. When Do
// fails, its error says whether the command may have been carried out.
//
// Members that one side does not know are ignored by it, so daemon and console
// may differ in version; a change that breaks this gets a new path.
package link
