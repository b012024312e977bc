package cluster

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

const (
	maxValue   = 120     // bytes of a value that is looked at; longer ones are texts, not traits
	minWord    = 3       // bytes of a word
	maxWords   = 100_000 // words that are counted at most
	maxPrefix  = 12      // digits: with rowBits they fit into 64 bits
	rowBits    = 15      // MaxRows has no more
	widestStep = 7       // halvings of an order's windows
)

// gather makes the sets that are large enough to be tested.
func (s *search) gather() {
	for a := range s.o.Attributes {
		s.gatherValues(a)
	}
	s.gatherWords()
	s.gatherPrefixes()
	s.gatherOrder(AttributeMinute, func(r *Row) int64 { return r.At })
	s.gatherOrder(AttributeLines, func(r *Row) int64 { return r.Line })
}

// keep takes in the largest sets of an attribute.
func (s *search) keep(sets []*set) {
	slices.SortFunc(sets, func(a, b *set) int {
		return cmp.Or(cmp.Compare(len(b.rows), len(a.rows)), cmp.Compare(a.rank, b.rank), cmp.Compare(a.value, b.value))
	})
	s.sets = append(s.sets, sets[:min(len(sets), maxSets)]...)
}

// gatherValues makes a set of each frequent value of an attribute. It counts first,
// so that values which few have cost no rows.
func (s *search) gatherValues(a int) {
	attribute := &s.o.Attributes[a]
	ids := map[string]int{}
	of := make([]int, len(s.rows))
	var counts []int
	for i := range s.rows {
		value := ""
		if a < len(s.rows[i].Traits) {
			value = s.rows[i].Traits[a]
		}
		if value == "" && !attribute.Empty || len(value) > maxValue {
			of[i] = -1
			continue
		}
		id, known := ids[value]
		if !known {
			id = len(counts)
			ids[value] = id
			counts = append(counts, 0)
		}
		of[i] = id
		counts[id]++
	}
	least := s.leastSize()
	sets := make([]*set, len(counts))
	var all []*set
	for value, id := range ids {
		if counts[id] >= least && counts[id] < len(s.rows) {
			sets[id] = &set{attribute: attribute.Name, value: value, rank: float64(attribute.Rank), rows: make([]int32, 0, counts[id])}
			all = append(all, sets[id])
		}
	}
	if len(all) == 0 {
		return
	}
	for i, id := range of {
		if id >= 0 && sets[id] != nil {
			sets[id].rows = append(sets[id].rows, int32(i))
		}
	}
	s.keep(all)
}

// gatherWords makes a set of each frequent word of the variables' values. A value
// that is one word is found as a value.
func (s *search) gatherWords() {
	var of []int
	for a := range s.o.Attributes {
		if s.o.Attributes[a].Words {
			of = append(of, a)
		}
	}
	rows := map[string][]int32{}
	split := map[string][]string{}
	for i := range s.rows {
		for _, a := range of {
			if a >= len(s.rows[i].Traits) {
				continue
			}
			value := s.rows[i].Traits[a]
			if strings.IndexFunc(value, notInWord) < 0 {
				continue
			}
			words, known := split[value]
			if !known {
				words = Words(value)
				split[value] = words
			}
			for _, w := range words {
				had, known := rows[w]
				if !known && len(rows) >= maxWords || len(had) > 0 && had[len(had)-1] == int32(i) {
					continue
				}
				rows[w] = append(had, int32(i))
			}
		}
	}
	least := s.leastSize()
	var all []*set
	for w, r := range rows {
		if len(r) >= least && len(r) < len(s.rows) {
			all = append(all, &set{attribute: AttributeWord, value: w, rank: RankLast, rows: r})
		}
	}
	s.keep(all)
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// Split gives the words of a value, in lower case.
func Split(value string) []string {
	return strings.FieldsFunc(strings.ToLower(value), notInWord)
}

// Words are the words of a value as AttributeWord compares them: without those of one
// or two letters.
func Words(value string) []string {
	return slices.DeleteFunc(Split(value), func(w string) bool { return len(w) < minWord || len(w) > maxValue })
}

// gatherPrefixes makes a set of each block of numbers, of any length, that is large
// enough. Where all of a block's numbers go on with the same digit the shorter
// prefix says as much, and is the only one.
func (s *search) gatherPrefixes() {
	var all []uint64 // the first digits, left-aligned, and then the row: sorted, blocks lie together
	for i := range s.rows {
		if key, ok := prefixKey(s.rows[i].Phone); ok {
			all = append(all, key<<rowBits|uint64(i))
		}
	}
	slices.Sort(all)
	rows := make([]int32, len(all))
	for i := range all {
		rows[i] = int32(all[i] & (1<<rowBits - 1))
		all[i] >>= rowBits
	}
	least := s.leastSize()
	var sets []*set
	var descend func(from, to, digits int, unit uint64)
	descend = func(from, to, digits int, unit uint64) {
		whole := to - from
		for from < to {
			block := all[from] / unit
			end := from + 1
			for end < to && all[end]/unit == block {
				end++
			}
			if end-from >= least && digits <= s.shortest(rows[from:end])-hiddenDigits {
				if end-from < whole || digits == 1 && end-from < len(s.rows) {
					sets = append(sets, &set{
						attribute: AttributePrefix, value: s.rows[rows[from]].Phone[:digits],
						rank: RankPrefix + float64(digits), rows: rows[from:end:end],
					})
				}
				if digits < maxPrefix {
					descend(from, end, digits+1, unit/10)
				}
			}
			from = end
		}
	}
	descend(0, len(all), 1, 1e11)
	s.keep(sets)
}

// hiddenDigits are the last of a number: no prefix names them, for it would name people.
const hiddenDigits = 4

// shortest is the length of the shortest of some rows' numbers.
func (s *search) shortest(rows []int32) int {
	n := maxPrefix + hiddenDigits
	for _, i := range rows {
		n = min(n, len(s.rows[i].Phone))
	}
	return n
}

// prefixKey is the first twelve digits of a number as one number; false when it is
// no number to write to.
func prefixKey(phone string) (key uint64, ok bool) {
	if len(phone) < 7 || len(phone) > 15 {
		return 0, false
	}
	for i := range maxPrefix {
		key *= 10
		if i < len(phone) {
			if phone[i] < '0' || phone[i] > '9' {
				return 0, false
			}
			key += uint64(phone[i] - '0')
		}
	}
	return key, true
}
