package monitor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/wa"
)

// Bounds of lists on their way.
const (
	maxList    = 1 << 30   // bytes of one
	maxUploads = 8         // at once
	keepUpload = time.Hour // of one that nobody goes on with
	maxJobs    = 32        // that are remembered
	// callOffWithin is how long one who calls work off waits for its end.
	callOffWithin = 2 * time.Second
	rejectPage    = 500           // rejected rows of a page
	maxRejected   = 512           // bytes of a rejected value
	uploadFile    = "upload-*.up" // in Sending.Folder
)

// lists are the recipient lists that are being taken, and the work on them.
type lists struct {
	mu      sync.Mutex
	uploads map[string]*upload
	jobs    map[string]*job
	order   []string // jobs, oldest first
	running sync.WaitGroup
	stop    context.CancelFunc
	ctx     context.Context //nolint:containedctx // of the work on lists, which outlives the command that began it
}

type upload struct {
	path, name string
	size       int64
	at         time.Time
	busy       bool
}

// job is work on a list. Its fields but state are set once.
type job struct {
	mu       sync.Mutex
	state    link.Job
	rejected *os.File // rejected rows as CSV; has no name any more
	page     struct { // the one after the page that was given last
		after, begin int64 // line before it, and byte of rejected
	}
	campaign int64 // that was made of the list
	callOff  context.CancelFunc
	over     chan struct{} // closed when nothing of it is under way any more
}

func (j *job) update(f func(s *link.Job)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.state)
}

func (j *job) view() link.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}

// open removes what an earlier daemon left of its uploads.
func (ls *lists) open(folder string) {
	ls.uploads, ls.jobs = map[string]*upload{}, map[string]*job{}
	ls.ctx, ls.stop = context.WithCancel(context.Background())
	if folder == "" {
		return
	}
	for _, pattern := range []string{uploadFile, list.UnpackedFile} {
		left, _ := filepath.Glob(filepath.Join(folder, pattern))
		for _, path := range left {
			_ = os.Remove(path)
		}
	}
}

// close ends the work on lists, and waits for it.
func (ls *lists) close() {
	ls.mu.Lock()
	ls.stop() // nothing begins from here on
	ls.mu.Unlock()
	ls.running.Wait()
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for id, u := range ls.uploads {
		_ = os.Remove(u.path)
		delete(ls.uploads, id)
	}
}

// take carries out the verbs about lists; ok is false for any other.
func (m *Monitor) take(ctx context.Context, operator string, cmd link.Command) (answer any, ok bool, err error) {
	switch cmd.Verb {
	case link.VerbUpload:
		answer, err = with(cmd, func(a link.UploadArgs) (any, error) { return m.upload(a) })
	case link.VerbList:
		answer, err = with(cmd, func(a link.ListArgs) (any, error) { return m.list(operator, a) })
	case link.VerbJob:
		answer, err = with(cmd, func(a link.JobArgs) (any, error) { return m.job(a) })
	case link.VerbTest:
		answer, err = with(cmd, func(a link.TestArgs) (any, error) { return m.test(operator, a) })
	case link.VerbWatch:
		answer, err = with(cmd, func(a link.WatchArgs) (any, error) { return m.watch(ctx, operator, a) })
	case link.VerbRejected:
		answer, err = with(cmd, func(a link.RejectedArgs) (any, error) { return m.rejected(a) })
	default:
		return nil, false, nil
	}
	return answer, true, err
}

// upload takes a piece of a list.
func (m *Monitor) upload(a link.UploadArgs) (link.Uploaded, error) {
	ls := &m.lists
	if m.o.Sending.Folder == "" {
		return link.Uploaded{}, refused("this daemon takes no lists")
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now := time.Now()
	for id, u := range ls.uploads {
		if !u.busy && now.Sub(u.at) > keepUpload {
			_ = os.Remove(u.path)
			delete(ls.uploads, id)
		}
	}
	u := ls.uploads[a.Upload]
	if a.Upload == "" {
		if len(ls.uploads) >= maxUploads {
			return link.Uploaded{}, refused("%d lists are on their way already: wait for one to end", maxUploads)
		}
		f, err := os.CreateTemp(m.o.Sending.Folder, uploadFile)
		if err != nil {
			return link.Uploaded{}, fmt.Errorf("making room for a list: %w", err)
		}
		_ = f.Close()
		a.Upload = strings.ToLower(rand.Text()[:10])
		u = &upload{path: f.Name(), name: filepath.Base(a.Name)}
		ls.uploads[a.Upload] = u
	}
	if u == nil || u.busy {
		return link.Uploaded{}, usage("no list is on its way as %q", wa.Clean(a.Upload))
	}
	if a.Drop {
		delete(ls.uploads, a.Upload)
		return link.Uploaded{Upload: a.Upload}, os.Remove(u.path)
	}
	u.at = now
	if a.Offset+int64(len(a.Data)) <= u.size { // a piece that was sent again
		return link.Uploaded{Upload: a.Upload, Size: u.size}, nil
	}
	if a.Offset != u.size || len(a.Data) > link.MaxUpload || u.size+int64(len(a.Data)) > maxList {
		return link.Uploaded{}, usage("the list cannot be taken: its pieces are out of order, or it is larger than %d MB", maxList>>20)
	}
	if err := appendTo(u.path, a.Data); err != nil { // a part of the piece may be there, and takes up room on a full disk
		_ = os.Remove(u.path)
		delete(ls.uploads, a.Upload)
		return link.Uploaded{}, fmt.Errorf("keeping a list: %w", err)
	}
	u.size += int64(len(a.Data))
	return link.Uploaded{Upload: a.Upload, Size: u.size}, nil
}

func appendTo(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// begin makes a job of an upload, which is gone when it ends.
func (m *Monitor) begin(id, stage string, work func(ctx context.Context, u *upload, j *job) error) (link.Job, error) {
	ls := &m.lists
	ls.mu.Lock()
	defer ls.mu.Unlock()
	u := ls.uploads[id]
	if u == nil || u.busy {
		return link.Job{}, usage("no list was uploaded as %q", wa.Clean(id))
	}
	if ls.ctx.Err() != nil {
		return link.Job{}, refused("the daemon ends: import the list again when it runs")
	}
	u.busy = true
	ctx, callOff := context.WithCancel(ls.ctx)
	j := &job{state: link.Job{ID: "j" + strings.ToLower(rand.Text()[:10]), Stage: stage}, callOff: callOff, over: make(chan struct{})}
	ls.jobs[j.state.ID] = j
	ls.order = append(ls.order, j.state.ID)
	ls.forgetDone()
	ls.running.Go(func() {
		defer close(j.over)
		defer callOff()
		err := work(ctx, u, j)
		_ = os.Remove(u.path)
		ls.mu.Lock()
		delete(ls.uploads, id)
		ls.mu.Unlock()
		j.update(func(s *link.Job) {
			s.Done, s.Share = true, 1
			if err != nil {
				s.Problem = faultOf(err)
			}
		})
	})
	return j.view(), nil
}

// forgetDone forgets the oldest jobs that are done, above maxJobs. ls.mu is held.
func (ls *lists) forgetDone() {
	ls.order = slices.DeleteFunc(ls.order, func(id string) bool {
		j := ls.jobs[id]
		if len(ls.jobs) <= maxJobs || !j.view().Done {
			return false
		}
		if j.rejected != nil {
			_ = j.rejected.Close()
		}
		delete(ls.jobs, id)
		return true
	})
}

// faultOf is an error as a console gets it.
func faultOf(err error) *link.Fault {
	if f, ok := errors.AsType[*link.Fault](err); ok {
		return f
	}
	return &link.Fault{Kind: link.FaultFailed, Text: err.Error()}
}

func (m *Monitor) job(a link.JobArgs) (link.Job, error) {
	m.lists.mu.Lock()
	j := m.lists.jobs[a.Job]
	m.lists.mu.Unlock()
	if j == nil {
		return link.Job{}, usage("no work is known as %q", wa.Clean(a.Job))
	}
	if a.Cancel {
		j.callOff()
		select {
		case <-j.over:
		case <-time.After(callOffWithin):
		}
	}
	return j.view(), nil
}
