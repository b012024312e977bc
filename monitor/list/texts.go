package list

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"sort"
	"strconv"
)

// UnpackedFile is what the files are called to which the texts of a large XLSX are
// unpacked, beside it. Close removes them; a process that is killed leaves them behind.
const UnpackedFile = "texts-*"

const (
	spillToDisk = 4 << 20  // bytes of a part from which its texts are kept on disk
	groupSize   = 1 << 10  // bytes of texts that are read at once, and one text more
	groupsHeld  = 1 << 10  // groups that are held
	groupMost   = 16 << 10 // bytes of a group that is held
)

// texts are the texts that the cells of a workbook share, by their number from 0
// (ECMA-376 part 1, 18.4.9). They stand one behind the other, each behind its
// length, in memory or in a file; of a file, what was used last is held. Memory
// does not grow with them but for 16 bytes a group.
type texts struct {
	count  int
	groups []group
	all    []byte   // all of them, or what waits for the file
	size   int64    // of all of them
	file   *os.File // nil where they are in memory
	held   [groupsHeld]heldGroup
	large  heldGroup
}

type group struct {
	first int   // number of its first text
	at    int64 // where it begins
}

type heldGroup struct {
	group int // counted from 1; 0 = none
	texts []byte
}

// read reads the part of a workbook that holds them; many are unpacked to a file
// in folder.
func (t *texts) read(part *zip.File, folder string) (err error) {
	if part.UncompressedSize64 > spillToDisk {
		if t.file, err = os.CreateTemp(folder, UnpackedFile); err != nil {
			return noRoom(err)
		}
	}
	in, err := part.Open()
	if err != nil {
		return damaged(part, err)
	}
	defer in.Close()
	m := newMarkup(in)
	var one []byte
	for {
		token, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && token == opens && string(m.name) == "si" {
			one, err = m.rich(one[:0])
			t.add(unescape(one))
		}
		if err != nil {
			return damaged(part, err)
		}
		if t.file != nil && len(t.all) >= readAhead {
			if err := t.spill(); err != nil {
				return err
			}
		}
	}
	if t.file == nil {
		return nil
	}
	return t.spill()
}

func noRoom(err error) error {
	return &Problem{Text: fmt.Sprintf("its texts cannot be unpacked beside the list (%v); make room on the disk, or save it as CSV", err)}
}

// add takes one text more.
func (t *texts) add(text []byte) {
	if len(t.groups) == 0 || t.size-t.groups[len(t.groups)-1].at >= groupSize {
		t.groups = append(t.groups, group{t.count, t.size})
	}
	before := len(t.all)
	t.all = append(binary.AppendUvarint(t.all, uint64(len(text))), text...)
	t.count++
	t.size += int64(len(t.all) - before)
}

// spill writes to the file what has come since.
func (t *texts) spill() error {
	if _, err := t.file.Write(t.all); err != nil {
		return noRoom(err)
	}
	t.all = t.all[:0]
	return nil
}

// append appends the text of a number.
func (t *texts) append(dst []byte, number int) ([]byte, error) {
	if number < 0 || number >= t.count {
		return dst, fmt.Errorf("it refers to text %d, and the workbook has %d", number, t.count)
	}
	g := sort.Search(len(t.groups), func(i int) bool { return t.groups[i].first > number }) - 1
	all, err := t.group(g)
	if err != nil {
		return dst, err
	}
	for i := t.groups[g].first; ; i++ {
		size, n := binary.Uvarint(all)
		if n <= 0 || size > maxRecord || n+int(size) > len(all) {
			return dst, errors.New("its texts were unpacked to a file that somebody has changed")
		}
		text := all[n : n+int(size)]
		if i == number {
			return append(dst, text...), nil
		}
		all = all[n+len(text):]
	}
}

// group gives the texts of a group, and of others behind it where they are in memory.
func (t *texts) group(g int) ([]byte, error) {
	at, end := t.groups[g].at, t.size
	if t.file == nil {
		return t.all[at:], nil
	}
	if g+1 < len(t.groups) {
		end = t.groups[g+1].at
	}
	held := &t.held[g%groupsHeld]
	if end-at > groupMost {
		held = &t.large
	}
	if held.group == g+1 {
		return held.texts, nil
	}
	if held.texts = held.texts[:0]; int64(cap(held.texts)) < end-at {
		held.texts = make([]byte, 0, end-at)
	}
	held.texts = held.texts[:end-at]
	held.group = 0
	if _, err := t.file.ReadAt(held.texts, at); err != nil {
		return nil, fmt.Errorf("its texts were unpacked and cannot be read again: %w", err)
	}
	held.group = g + 1
	return held.texts, nil
}

func (t *texts) close() error {
	if t.file == nil {
		return nil
	}
	return errors.Join(t.file.Close(), os.Remove(t.file.Name()))
}

// escaped are the characters that XML cannot have (ECMA-376 part 1, 22.9.2.19).
var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// unescape resolves them; half a character of UTF-16 is dropped.
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte("_x")) {
		return text
	}
	return escaped.ReplaceAllFunc(text, func(e []byte) []byte {
		n, err := strconv.ParseUint(string(e[2:6]), 16, 16)
		if err != nil || n >= 0xd800 && n < 0xe000 {
			return nil
		}
		return []byte(string(rune(n)))
	})
}
