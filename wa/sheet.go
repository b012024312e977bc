package wa

// SheetMark is what is known of the sheet that the rejected list is appended to.
// It is on disk before rows leave, so that after a crash it can be asked whether
// they arrived.
type SheetMark struct {
	Target string // which sheet the rest speaks of
	Row    int64  // number of the last row that was appended; 0 = not known

	// A batch that was begun, and of which it is not known whether it arrived.
	Upto   int64  // place of its last row in the queue; 0 = there is none
	Rows   int    // how many it has
	Digest []byte // of their cells
}
