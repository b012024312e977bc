package store

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
)

// shuffle brings rows into a random order, or keeps them in theirs, with little
// memory: each row goes to one of many files by chance, and each file is then
// shuffled by itself, which makes every order of all rows equally likely (Rao
// 1961, Sandelius 1962). The files have no name any more once they are open, so
// that a crash leaves none behind; they hold phone numbers.
type shuffle struct {
	files   []*os.File
	writers []*bufio.Writer
	chance  *mathrand.Rand
	inOrder bool
	count   int64
}

// shuffleFiles divide a list of a million rows into files of some megabytes.
const shuffleFiles = 64

func newShuffle(dir string, inOrder bool) (*shuffle, error) {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	s := &shuffle{chance: mathrand.New(mathrand.NewChaCha8(seed)), inOrder: inOrder}
	n := shuffleFiles
	if inOrder {
		n = 1
	}
	for range n {
		f, err := os.CreateTemp(dir, "list-*.part")
		if err != nil {
			s.close()
			return nil, err
		}
		s.files = append(s.files, f)
		s.writers = append(s.writers, bufio.NewWriterSize(f, 16<<10))
		if err := os.Remove(f.Name()); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// add takes a row.
func (s *shuffle) add(row []byte) error {
	w := s.writers[s.chance.IntN(len(s.writers))]
	s.count++
	if _, err := w.Write(binary.AppendUvarint(nil, uint64(len(row)))); err != nil {
		return err
	}
	_, err := w.Write(row)
	return err
}

// each gives all rows in their new order, at most so many at a time.
func (s *shuffle) each(atOnce int, do func(rows [][]byte) error) error {
	for i, f := range s.files {
		if err := s.writers[i].Flush(); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := s.eachOf(f, atOnce, do); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (s *shuffle) eachOf(f *os.File, atOnce int, do func(rows [][]byte) error) error {
	r := bufio.NewReaderSize(f, 64<<10)
	var rows [][]byte
	give := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := do(rows)
		rows = rows[:0]
		return err
	}
	for {
		row, err := readRow(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading a list again: %w", err)
		}
		rows = append(rows, row)
		if s.inOrder && len(rows) == atOnce {
			if err := give(); err != nil {
				return err
			}
		}
	}
	if s.inOrder {
		return give()
	}
	all := rows
	s.chance.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	for len(all) > 0 {
		n := min(atOnce, len(all))
		if err := do(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func readRow(r *bufio.Reader) ([]byte, error) {
	length, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	row := make([]byte, length)
	_, err = io.ReadFull(r, row)
	return row, err
}

func (s *shuffle) close() {
	for _, f := range s.files {
		_ = f.Close()
	}
}

// sweepLists removes what a crash left of a list's files before they lost their names.
func sweepLists(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, "list-*.part"))
	for _, path := range left {
		_ = os.Remove(path)
	}
}
