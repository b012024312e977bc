package link

// Update is what a Client tells its owner: a newer snapshot, or a change of the
// link itself. Snapshot is the newest one ever received (nil before the first),
// also while the link is gone; Connected tells whether it is live.
type Update struct {
	Snapshot  *Snapshot
	Connected bool
	Err       error // why the link is gone; nil while connected or before the first attempt ended
}
