package store

// Queued is how many updates wait for the writer, or are being written.
func (s *Store) Queued() int64 { return s.queued.Load() }
