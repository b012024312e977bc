package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// How often a job is asked after: often at first, for most are short.
const (
	jobFirst = 10 * time.Millisecond
	jobMost  = 250 * time.Millisecond
)

// callOffWithin is how long somebody who broke off waits for the daemon's word.
const callOffWithin = 3 * time.Second

// await asks after a job until it is done, or ctx ends.
func (s *session) await(ctx context.Context, job *link.Job, b *bar) (*link.Job, error) {
	wait := jobFirst
	for !job.Done {
		rows := job.Rows
		b.at(job.Stage, job.Share, func(took time.Duration) string { return perSecond(rows, took) })
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		wait = min(2*wait, jobMost)
		next := new(link.Job)
		err := s.do(ctx, link.VerbJob, link.JobArgs{Job: job.ID}, next)
		if err != nil {
			return nil, err
		}
		job = next
	}
	if job.Problem != nil {
		return nil, job.Problem
	}
	return job, nil
}

// callOff ends the reading of a list that nobody waits for any more, and says
// what is left of it.
func (s *session) callOff(ctx context.Context, job *link.Job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callOffWithin)
	defer cancel()
	var last link.Job
	err := s.client.Do(ctx, link.VerbJob, link.JobArgs{Job: job.ID, Cancel: true}, &last)
	switch {
	case err != nil || !last.Done:
		return errors.New("broken off, but the daemon may still be at it; a list is imported whole or not at all: look with tickwatch campaign list")
	case last.Imported != nil:
		return fmt.Errorf("broken off too late: the list is imported as campaign %s, and nothing of it goes out until it is started", wa.Clean(last.Imported.ID))
	}
	return errBrokenOff
}

// work uploads a list, has the daemon do something with it, and waits for that.
func (s *session) work(ctx context.Context, a *app, l *listFile, verb string, args func(upload string) any) (*link.Job, error) {
	b := a.bar()
	defer b.end()
	upload, err := s.upload(ctx, l, b)
	if err != nil {
		return nil, err
	}
	var job link.Job
	if err := s.do(ctx, verb, args(upload), &job); err != nil {
		s.dropUpload(ctx, upload)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("broken off; a list is imported whole or not at all: look with tickwatch campaign list (%w)", err)
		}
		return nil, err
	}
	done, err := s.await(ctx, &job, b)
	switch {
	case ctx.Err() == nil || done != nil:
		return done, err
	case verb == link.VerbTest:
		return nil, errors.New("broken off, but the test goes on: what it sends cannot be called back; tickwatch campaign list shows it")
	case verb == link.VerbSuppressImport:
		_ = s.callOff(ctx, &job)
		return nil, errors.New("broken off: the first people of the list are not written to, the others are; importing it again does no harm")
	}
	return nil, s.callOff(ctx, &job)
}
