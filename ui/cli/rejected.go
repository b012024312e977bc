package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
)

// rejectedPages gives the rows that a job rejected, page after page, to each.
func (s *session) rejectedPages(ctx context.Context, job string, each func(link.RejectedPage) (more bool, err error)) error {
	args := link.RejectedArgs{Job: job}
	for {
		var page link.RejectedPage
		if err := s.do(ctx, link.VerbRejected, args, &page); err != nil {
			return err
		}
		more, err := each(page)
		if err != nil || !more || !page.More || len(page.Rows) == 0 {
			return err
		}
		args.After = page.Rows[len(page.Rows)-1].Line
	}
}

// firstRejected are the first few rejected rows.
func (s *session) firstRejected(ctx context.Context, job string, n int) (rows []link.Rejected, err error) {
	err = s.rejectedPages(ctx, job, func(p link.RejectedPage) (bool, error) {
		rows = append(rows, p.Rows[:min(len(p.Rows), n-len(rows))]...)
		return len(rows) < n, nil
	})
	return rows, err
}

// writeRejected writes all rejected rows of a job as CSV.
func (s *session) writeRejected(ctx context.Context, job, path string, replace bool) (rows int64, err error) {
	_, err = writeNew(path, replace, func(to io.Writer) error {
		w, err := list.NewRejects(to)
		if err != nil {
			return err
		}
		err = s.rejectedPages(ctx, job, func(p link.RejectedPage) (bool, error) {
			for _, r := range p.Rows {
				rows++
				if err := w.Write(r.Line, r.Reason, r.Value); err != nil {
					return false, err
				}
			}
			return true, nil
		})
		return errors.Join(err, w.Close())
	})
	return rows, err
}

// rejectedFlags say where the rejected rows go.
type rejectedFlags struct {
	Rejected string `help:"Write the rejected rows, with line and reason, to this CSV file." placeholder:"FILE" type:"path"`
	Force    bool   `help:"Replace that file if it is there."`
}

// possible refuses a file that could not be written, before anything is done.
func (r *rejectedFlags) possible() error {
	if r.Rejected == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(r.Rejected)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no such folder: choose another name for the rejected rows", r.Rejected)
	}
	if _, err := os.Lstat(r.Rejected); err == nil && !r.Force {
		return fmt.Errorf("%s is there already: choose another name, or replace it with --force", r.Rejected)
	}
	return nil
}

// save writes the rejected rows of a list: to the file that was named, else to a
// new one beside the list, else to one in the working directory.
func (r *rejectedFlags) save(ctx context.Context, s *session, job, of string) (path string, err error) {
	if r.Rejected != "" {
		_, err := s.writeRejected(ctx, job, r.Rejected, r.Force)
		return r.Rejected, err
	}
	base := strings.TrimSuffix(filepath.Base(of), filepath.Ext(of)) + ".rejected"
	for _, dir := range []string{filepath.Dir(of), "."} {
		path, err = newName(dir, base)
		if err == nil {
			_, err = s.writeRejected(ctx, job, path, false)
		}
		if err == nil || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
			return path, err
		}
	}
	return path, err
}

// newName is a name in a folder that no file has.
func newName(dir, base string) (string, error) {
	for n := 1; n < 1000; n++ {
		path := filepath.Join(dir, base+".csv")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d.csv", base, n))
		}
		_, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s has a thousand files of rejected rows: name one with --rejected", dir)
}
