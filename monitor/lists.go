package monitor

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
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

// list judges a list, or makes a campaign of it.
func (m *Monitor) list(operator string, a link.ListArgs) (link.Job, error) {
	if a.Import && (a.Template == nil || a.Name == "" || len(a.From) == 0) {
		return link.Job{}, usage("a campaign needs a name, a template and a number to be sent from")
	}
	if a.Template != nil && m.o.Sending.Meta == nil {
		return link.Job{}, refused("templates cannot be asked for: set graph.access_token and graph.waba_id, and start the daemon again")
	}
	return m.begin(a.Upload, "reading the list", func(ctx context.Context, u *upload, j *job) error {
		var form *wa.TemplateForm
		if a.Template != nil {
			f, err := m.o.Sending.Meta.Template(ctx, a.Template.Name, a.Template.Language)
			if err != nil {
				return err
			}
			form = &f
		}
		if a.Import {
			if err := m.knownNumbers(ctx, a.From); err != nil {
				return err
			}
		}
		return m.judgeList(ctx, operator, u, j, form, &a)
	})
}

// knownNumbers refuses numbers that are not the account's: Meta would refuse each
// message. Where Meta does not say, they are taken.
func (m *Monitor) knownNumbers(ctx context.Context, from []string) error {
	if m.o.Sending.Numbers == nil {
		return nil
	}
	news, err := m.o.Sending.Numbers(ctx)
	if err != nil || len(news) == 0 {
		return nil //nolint:nilerr // the first message will tell
	}
	names := make([]string, len(news))
	for i := range news {
		names[i] = wa.Clean(news[i].ID) + " (" + display(news[i].Display) + ")"
	}
	for _, id := range from {
		if !slices.ContainsFunc(news, func(n NumberNews) bool { return n.ID == id }) {
			return usage("%q is not the phone_number_id of a number of this account; it has %s", wa.Clean(id), strings.Join(names, ", "))
		}
	}
	return nil
}

// judgeList reads a list to its end.
func (m *Monitor) judgeList(ctx context.Context, operator string, u *upload, j *job, form *wa.TemplateForm, a *link.ListArgs) error {
	facts, err := m.listFacts(ctx, form, a.From)
	if err != nil {
		return err
	}
	r, err := list.Open(u.path, u.name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	judge, err := list.NewJudge(r, list.Options{
		Phone: a.Phone, Consent: a.Consent, Country: a.Country, Form: form, Map: a.Map, Attributes: a.Attributes,
		InvalidAct: m.o.Thresholds.InvalidAct, RefusersAct: m.o.Thresholds.RefusersAct,
	}, facts)
	if err != nil {
		return err
	}
	var into *store.Import
	if a.Import {
		plan := wa.Plan{
			Name: a.Name, Form: *form, Columns: judge.Columns(), Bind: judge.Bind(), From: a.From, Marketing: a.Marketing, Pace: m.o.Sending.Pace,
		}
		if into, err = m.o.Store.Import(plan, a.InOrder); err != nil {
			return err
		}
		defer into.Abort()
	}
	if err := eachVerdict(ctx, r, judge, j, m.o.Sending.Folder, into); err != nil {
		return err
	}
	check := judge.Check()
	found := checkView(&check)
	j.update(func(s *link.Job) { s.Check = &found })
	if into == nil {
		return nil
	}
	for _, phone := range judge.Withdrawn() {
		into.LeaveOut(phone)
	}
	into.Object(objections(check.Findings))
	return m.finishImport(ctx, operator, j, into, &check)
}

// eachVerdict hands the rows of a list on.
func eachVerdict(ctx context.Context, r *list.Reader, judge *list.Judge, j *job, folder string, into *store.Import) error {
	file, err := os.CreateTemp(folder, uploadFile)
	if err != nil {
		return fmt.Errorf("making room for rejected rows: %w", err)
	}
	_ = os.Remove(file.Name())
	j.rejected = file
	rejects := csv.NewWriter(file)
	for n := int64(0); ; n++ {
		v, err := judge.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case v.Reason != "":
			if len(v.Value) > maxRejected { // a page of them has to fit into a message
				v.Value = strings.ToValidUTF8(v.Value[:maxRejected], "") + "…"
			}
			if err := rejects.Write([]string{fmt.Sprint(v.Line), v.Value, v.Reason}); err != nil {
				return fmt.Errorf("keeping a rejected row: %w", err)
			}
			if into != nil {
				into.Reject(store.RejectedRow{Line: v.Line, Value: wa.Clean(v.Value), Reason: v.Reason})
			}
		case into != nil:
			if err := into.Add(store.Recipient{Phone: v.Phone, Line: v.Line, Values: v.Values}); err != nil {
				return err
			}
		}
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("broken off: %w", err)
			}
			j.update(func(s *link.Job) { s.Rows, s.Share = n, r.Done()*0.6 })
		}
	}
	rejects.Flush()
	return rejects.Error()
}

// finishImport writes the campaign.
func (m *Monitor) finishImport(ctx context.Context, operator string, j *job, into *store.Import, check *list.Check) error {
	j.update(func(s *link.Job) { s.Stage = "writing the campaign" })
	plan, err := into.Finish(ctx, func(rows int64) {
		j.update(func(s *link.Job) { s.Rows, s.Share = rows, 0.6+0.4*float64(rows)/float64(max(check.Valid, 1)) })
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.plans[plan.Campaign] = plan
	twin := false // an impatient second try looks just like the first
	for _, l := range m.campaigns {
		twin = twin || l.Name == plan.Name && l.Key != plan.Key
	}
	m.mu.Unlock()
	if twin {
		j.update(func(s *link.Job) {
			found := *s.Check // others may be reading the one that was shown
			found.Findings = append(slices.Clone(found.Findings), link.Finding{
				Severity: list.Watch, Text: fmt.Sprintf("another campaign is called %s, too: this one goes by its id, %s", wa.Clean(plan.Name), plan.Key),
			})
			s.Check = &found
		})
	}
	m.queue.Add(plan)
	j.campaign = plan.Campaign
	j.update(func(s *link.Job) {
		s.Imported = &link.Import{ID: plan.Key, Waiting: plan.Rows, Rejected: check.Rows - plan.Rows}
	})
	m.record(store.Action{Operator: operator, Verb: "import", Target: plan.Key, Effect: fmt.Sprintf("%s waiting, %s rejected", count(plan.Rows), count(check.Rows-plan.Rows))})
	return nil
}

// objections are the findings that keep a campaign from starting, which stay with
// its plan; the others are looked at anew.
func objections(all []list.Finding) (act []wa.Objection) {
	for _, f := range all {
		if f.Severity == list.Act {
			act = append(act, wa.Objection{Text: f.Text, Count: f.Count})
		}
	}
	return act
}

// listFacts is what is known of people, the account and the template.
func (m *Monitor) listFacts(ctx context.Context, form *wa.TemplateForm, from []string) (list.Facts, error) {
	known, err := m.o.Store.ListFacts(ctx, wa.At(m.o.Now()), FrequencyCap)
	if err != nil {
		return list.Facts{}, err
	}
	f := list.Facts{
		OptedOut: known.OptedOut.Has, Refuser: known.Refusers.Has, Used: int(known.Used24h), Pace: m.o.Sending.Pace, Now: m.o.Now(),
	}
	if form == nil || form.Category == wa.CategoryMarketing {
		f.Capped = known.Capped.Has
	}
	m.mu.Lock()
	f.People, _ = m.limitOf(from)
	m.mu.Unlock()
	if form == nil {
		f.NoTemplate = true
		return f, nil
	}
	forms, err := m.o.Sending.Meta.Templates(ctx)
	if err != nil {
		f.NoTemplate = true
		return f, nil //nolint:nilerr // the list is judged without
	}
	for i := range forms {
		if (forms[i].Name != form.Name || forms[i].Language != form.Language) && forms[i].Status == wa.StatusApproved && forms[i].SameVariables(form) {
			f.Spares++
		}
	}
	return f, nil
}

func checkView(c *list.Check) link.Check {
	out := link.Check{
		OK: c.OK(), Rows: c.Rows, Valid: c.Valid, Invalid: c.Invalid, Duplicates: c.Duplicates,
		Suppressed: c.Suppressed, Refusers: c.Refusers, Capped: c.Capped, Findings: []link.Finding{},
	}
	for _, f := range c.Findings {
		out.Findings = append(out.Findings, link.Finding{Severity: f.Severity, Text: f.Text, Count: f.Count})
	}
	return out
}

// rejected gives a page of the rows that no message came of.
func (m *Monitor) rejected(a link.RejectedArgs) (link.RejectedPage, error) {
	out := link.RejectedPage{Rows: []link.Rejected{}}
	if a.Campaign != "" {
		l, _, err := m.own(a.Campaign)
		if err != nil {
			return out, err
		}
		page, err := m.o.Store.Rejected(context.Background(), l.ID, a.After, rejectPage)
		for _, r := range page {
			out.Rows = append(out.Rows, link.Rejected{Line: r.Line, Value: r.Value, Reason: r.Reason})
		}
		out.More = len(page) == rejectPage
		return out, err
	}
	m.lists.mu.Lock()
	j := m.lists.jobs[a.Job]
	m.lists.mu.Unlock()
	if j == nil || !j.view().Done || j.rejected == nil { // it is written until the job is done
		return out, usage("no list is known as %q", wa.Clean(a.Job))
	}
	return j.rejectedPage(a.After, out)
}

// rejectedPage reads a page of the job's own file.
func (j *job) rejectedPage(after int64, out link.RejectedPage) (link.RejectedPage, error) {
	begin := int64(0)
	j.mu.Lock()
	if after == j.page.after {
		begin = j.page.begin
	}
	j.mu.Unlock()
	rows := csv.NewReader(io.NewSectionReader(j.rejected, begin, 1<<62))
	for end := begin; ; end = begin + rows.InputOffset() {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("reading rejected rows: %w", err)
		}
		var line int64
		if _, err := fmt.Sscan(row[0], &line); err != nil || line <= after {
			continue
		}
		if len(out.Rows) == rejectPage {
			out.More = true
			j.mu.Lock()
			j.page.after, j.page.begin = out.Rows[rejectPage-1].Line, end
			j.mu.Unlock()
			return out, nil
		}
		out.Rows = append(out.Rows, link.Rejected{Line: line, Value: row[1], Reason: row[2]})
	}
}
