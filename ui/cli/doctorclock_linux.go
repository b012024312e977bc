package cli

import "golang.org/x/sys/unix"

// clockSynced asks the kernel whether a time service keeps its clock right
// (adjtimex(2)). Some sandboxes forbid the question; then it is not known.
func clockSynced() (ok, known bool) {
	var t unix.Timex // asks, sets nothing
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return false, false
	}
	return state != unix.TIME_ERROR, true
}
