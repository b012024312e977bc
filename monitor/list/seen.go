package list

import (
	"hash/maphash"
	"math/bits"
)

// seen holds the numbers of a list, by which doubles are found: 12 bytes a slot,
// and 1.25 to 1.9 slots a number.
type seen struct {
	slots []uint64 // a number's digits (at most 15: 50 bits) and 14 bits of how it was written; 0 = free
	notes []uint32 // where it stood first, and what came of it
	used  int
	seed  maphash.Seed
}

// What came of a person, beside the line in seen.notes.
const (
	settled    = 1 << 31 // another row of this person is a double
	queued     = 1 << 30 // a recipient
	seenLine   = queued - 1
	spelling   = 14
	firstSlots = 1 << 10
)

func newSeen() *seen {
	return &seen{slots: make([]uint64, firstSlots), notes: make([]uint32, firstSlots), seed: maphash.MakeSeed()}
}

// add takes a number and gives its slot, which is good until the next add. known
// tells whether it was there before, same whether it was written the same way.
func (s *seen) add(digits uint64, written string, line int64) (slot uint64, known, same bool) {
	if s.used*5 >= len(s.slots)*4 {
		s.grow()
	}
	entry := digits<<spelling | maphash.String(s.seed, written)>>(64-spelling)
	slot = s.find(digits)
	if s.slots[slot] != 0 {
		return slot, true, s.slots[slot] == entry
	}
	s.slots[slot], s.notes[slot] = entry, uint32(min(line, seenLine)) //nolint:gosec // G115: bounded
	s.used++
	return slot, false, false
}

// find gives the slot of a number, or the free one that it would take.
func (s *seen) find(digits uint64) uint64 {
	size := uint64(len(s.slots))
	// Numbers come in blocks: spread them over the slots.
	slot, _ := bits.Mul64(digits*0x9E3779B97F4A7C15, size)
	for s.slots[slot] != 0 && s.slots[slot]>>spelling != digits {
		if slot++; slot == size {
			slot = 0
		}
	}
	return slot
}

func (s *seen) grow() {
	slots, notes := s.slots, s.notes
	s.slots, s.notes = make([]uint64, len(slots)*3/2), make([]uint32, len(slots)*3/2)
	for i, entry := range slots {
		if entry != 0 {
			slot := s.find(entry >> spelling)
			s.slots[slot], s.notes[slot] = entry, notes[i]
		}
	}
}

// line is where a person stood first.
func (s *seen) line(slot uint64) int64 { return int64(s.notes[slot] & seenLine) }

// is tells whether that came of a person.
func (s *seen) is(slot uint64, what uint32) bool { return s.notes[slot]&what != 0 }

// note notes what came of a person, at a line.
func (s *seen) note(slot uint64, line int64, what uint32) {
	s.notes[slot] = uint32(min(line, seenLine)) | what //nolint:gosec // G115: bounded
}
