package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/wa"
)

// toldOf is a webhook's receiver: it keeps what its secret vouches for.
type toldOf struct {
	secret wa.Secret
	mu     sync.Mutex
	bodies []string
	forged int
}

func (r *toldOf) ServeHTTP(_ http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Header.Get(notify.HeaderSignature) != notify.Sign(r.secret, q.Header.Get(notify.HeaderTimestamp), body) {
		r.forged++
	}
	r.bodies = append(r.bodies, string(body))
}

func (r *toldOf) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

// pausedTemplate is Meta's word that it paused a template.
func pausedTemplate(id int) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102","time":%d,"changes":[{"field":"message_template_status_update","value":`+
		`{"event":"PAUSED","message_template_id":%d,"message_template_name":"offer_%d","message_template_language":"pt_PT","reason":"NONE"}}]}]}`, time.Now().Unix(), id, id)
}

// A daemon tells of each alarm once, whatever happens to it, by a signed webhook and
// by a command; an alarm can be kept quiet and a figure typed from the command line.
func TestToldOnceByAKilledDaemon(t *testing.T) {
	t.Parallel()
	receiver := &toldOf{secret: wa.NewSecret("shared")}
	hooks := httptest.NewServer(receiver)
	defer hooks.Close()
	dir := folder(t)
	hook, calls := filepath.Join(dir, "hook"), filepath.Join(dir, "calls")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\necho \"$TICKWATCH_ALARM_ID $TICKWATCH_ALARM_CHANGE $TICKWATCH_ALARM_SEVERITY\" >> \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	called := func() string { text, _ := os.ReadFile(calls); return string(text) }
	env := environment(dir, "TICKWATCH_NOTIFY_WEBHOOK_URL="+hooks.URL, "TICKWATCH_NOTIFY_WEBHOOK_SECRET=shared", "TICKWATCH_NOTIFY_COMMAND="+hook+" "+calls)

	s := launchIn(t, dir, env, "tickwatch", "serve")
	s.deliver([][]byte{pausedTemplate(7)})
	waitFor(t, "both places are told", func() bool { return receiver.count() == 1 && called() != "" })
	waitFor(t, "what they were told is on the disk", func() bool { return strings.Count(s.said(), "people are told") == 2 })
	first := s.status().Alarms[0]
	out, errs, code := tickwatch(t, env, "snooze", first.ID, "1h", "--json")
	var quiet link.Alarm
	if code != 0 || json.Unmarshal([]byte(out), &quiet) != nil || quiet.SnoozedBy == "" || quiet.SnoozedUntil == nil {
		t.Errorf("snooze: %d %s %s", code, out, errs)
	}
	s.end(syscall.SIGKILL)

	s = launchIn(t, dir, env, "tickwatch", "serve")
	if a := s.status().Alarms[0]; a.ID != first.ID || a.SnoozedBy == "" {
		t.Errorf("after the crash: %+v", a)
	}
	s.deliver([][]byte{pausedTemplate(8)})
	waitFor(t, "both places are told again", func() bool { return receiver.count() == 2 && strings.Count(called(), "\n") == 2 })
	second := s.status().Alarms[0]
	if got := called(); got != first.ID+" raised watch\n"+second.ID+" raised watch\n" || first.ID == second.ID {
		t.Errorf("the command was told\n%s", got)
	}
	for i, id := range []string{first.ID, second.ID} {
		if body := receiver.bodies[i]; strings.Count(body, `"change"`) != 1 || !strings.Contains(body, `"id":"`+id+`"`) || receiver.forged != 0 {
			t.Errorf("the webhook was told %s", body)
		}
	}

	s.deliver(newCrowd(5).webhooks(40))
	campaign := s.status().Campaigns[0].ID
	out, errs, code = tickwatch(t, env, "reported", campaign, "--count", "3", "--blocks", "--json")
	var reports link.Reports
	if code != 0 || json.Unmarshal([]byte(out), &reports) != nil || reports.Blocked == nil || *reports.Blocked != 3 || reports.BlockedBy == "" {
		t.Errorf("reported: %d %s %s", code, out, errs)
	}
	for _, wrong := range [][]string{{"snooze", first.ID, "soon"}, {"snooze", first.ID}, {"reported", campaign}, {"reported", campaign, "--count", "-1"}} {
		if _, errs, code := tickwatch(t, env, wrong...); code != 2 {
			t.Errorf("%v: exit %d, %s", wrong, code, errs)
		}
	}
	if _, errs, code := tickwatch(t, env, "snooze", "a99", "grows"); code != 1 || !strings.Contains(errs, "no alarm") {
		t.Errorf("exit %d, %s", code, errs)
	}
	if code := s.end(syscall.SIGINT); code != 0 {
		t.Errorf("exit %d", code)
	}
}
