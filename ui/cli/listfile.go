package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tickwatch/monitor/link"
)

// listFile is a recipient list that is about to be handed to the daemon.
type listFile struct {
	path string
	file *os.File
	size int64
}

// openList opens a list, and refuses what can be none without asking the daemon.
func openList(path string) (*listFile, error) {
	// Without O_NONBLOCK a named pipe would hold us up for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not there: check the name of the list", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s may not be read by this user: chmod u+r it, or copy it", path)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be opened: %w", path, err)
	}
	info, err := f.Stat()
	if err == nil {
		switch {
		case info.IsDir():
			err = fmt.Errorf("%s is a folder: give the CSV or XLSX file itself", path)
		case !info.Mode().IsRegular():
			err = fmt.Errorf("%s is no regular file: save the list as a CSV or XLSX file first", path)
		case info.Size() == 0:
			err = fmt.Errorf("%s is empty: export the list again, with its heading and its rows", path)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &listFile{path: path, file: f, size: info.Size()}, nil
}

func (l *listFile) close() { _ = l.file.Close() }

// upload hands a list to the daemon, piece by piece, and gives the name under
// which it is there.
func (s *session) upload(ctx context.Context, l *listFile, b *bar) (id string, err error) {
	args := link.UploadArgs{Name: filepath.Base(l.path)}
	defer func() {
		if err != nil && args.Upload != "" {
			s.dropUpload(ctx, args.Upload)
		}
	}()
	piece := make([]byte, link.MaxUpload)
	for args.Offset < l.size {
		n, err := io.ReadFull(l.file, piece[:min(int64(len(piece)), l.size-args.Offset)])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return "", fmt.Errorf("%s became shorter while it was read: try again when it is whole", l.path)
		}
		if err != nil {
			return "", fmt.Errorf("%s cannot be read to its end: %w", l.path, err)
		}
		args.Data = piece[:n]
		var got link.Uploaded
		err = s.do(ctx, link.VerbUpload, args, &got)
		if ctx.Err() != nil {
			return "", errBrokenOff
		}
		if err != nil {
			return "", err
		}
		args.Upload, args.Offset = got.Upload, args.Offset+int64(n)
		if got.Size != args.Offset {
			return "", fmt.Errorf("the daemon has %s of %s, not %s: try again", byteSize(got.Size), l.path, byteSize(args.Offset))
		}
		b.at("uploading the list", float64(args.Offset)/float64(l.size), func(took time.Duration) string { return bytesPerSecond(args.Offset, took) })
	}
	// One byte more means that somebody still writes to it.
	if n, _ := l.file.Read(piece[:1]); n > 0 {
		return "", fmt.Errorf("%s became longer while it was read: try again when it is whole", l.path)
	}
	return args.Upload, nil
}

// dropUpload gives up what came of a list. Where that fails, the daemon does so
// by itself, later.
func (s *session) dropUpload(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callOffWithin)
	defer cancel()
	_ = s.client.Do(ctx, link.VerbUpload, link.UploadArgs{Upload: id, Drop: true}, nil)
}
