package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"tickwatch/monitor"
	"tickwatch/wa"
)

// maxLine bounds a line of a recording in bytes: room for a body of 4 MiB
// however it must be escaped.
const maxLine = 64 << 20

// recording is a file of lines, plain or gzipped.
type recording struct{ path string }

// each gives every line, and how much of the file is read, to yield, until
// yield returns an error. An error of the file says where and what, in one line.
func (r recording) each(ctx context.Context, yield func(l monitor.Line, share float64) error) error {
	f, err := os.Open(r.path)
	if err != nil {
		return fmt.Errorf("the recording cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("the recording cannot be read: %w", err)
	}
	size := max(info.Size(), 1)
	text, err := plainText(f)
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		l, err := monitor.ParseLine(lines.Bytes())
		if err != nil {
			return fmt.Errorf("%s: line %d %w; mend or remove it", r.path, n, err)
		}
		at, _ := f.Seek(0, io.SeekCurrent) // of a pipe it is not known
		if err := yield(l, float64(at)/float64(size)); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%s: a line is longer than %d MiB, which no webhook is: is it a recording?", r.path, maxLine>>20)
	}
	if lines.Err() != nil {
		return fmt.Errorf("%s cannot be read to its end: %w", r.path, lines.Err())
	}
	return nil
}

// plainText unpacks what is gzipped.
func plainText(f io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(f, 1<<16)
	if magic, _ := b.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	return gzip.NewReader(b)
}

// contents are what a look through a recording finds.
type contents struct {
	start wa.Instant // of the first line
	lines int64
	late  int64 // lines over a minute older than one before them
}

// check reads the whole file, so that a bad line shows before anything is played.
func (r recording) check(ctx context.Context, progress *progress) (found contents, err error) {
	latest := wa.Instant(0)
	err = r.each(ctx, func(l monitor.Line, share float64) error {
		if found.lines++; found.lines == 1 {
			found.start = l.ReceivedAt
		}
		if latest = max(latest, l.ReceivedAt); latest-l.ReceivedAt > 60_000 {
			found.late++
		}
		progress.at(share)
		return nil
	})
	if err == nil && found.lines == 0 {
		err = fmt.Errorf("%s holds no line: there is nothing to replay", r.path)
	}
	return found, err
}
