package sandbox

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestControl steers a stand-in as another process does.
func TestControl(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	do := func(method, path, body, want string) {
		t.Helper()
		status, answer := call(t, s, method, "/_stand_in/"+path, body)
		if got := fmt.Sprint(status, answer); !strings.Contains(got, want) {
			t.Errorf("%s %s: %s, want %q", method, path, got, want)
		}
	}
	do("POST", "faults", `{"kind":"latency","delay":"1ms"}`, "200 map[id:1]")
	do("POST", "faults", `{"kind":"refuse","code":130429,"http":429,"retry_after":"2s","number":"500100200300400","next":1}`, "map[id:2]")
	do("POST", "faults", `{"kind":"rain"}`, "400 map[problem:sandbox: there is no fault")
	do("POST", "faults", `{"kind":"latency","delay":"soon"}`, "no span of time")
	do("POST", "faults", `{"kind":"latency","dealy":"1s"}`, "unknown field")
	do("POST", "faults", `{`, "400")
	if got := ask(t, s, numberIDs[0], "+351912345678"); got.String() != "429 130429 after 2" {
		t.Errorf("a send ended with %q", got)
	}
	want := []InForce{
		{1, 1, Fault{Kind: FaultLatency, Delay: time.Millisecond}},
		{2, 1, Fault{Kind: FaultRefuse, Code: 130429, HTTP: 429, RetryAfter: 2 * time.Second, Number: numberIDs[0], Next: 1}},
	}
	if diff := gocmp.Diff(want, lines[[]InForce](t, s, "faults")[0]); diff != "" {
		t.Errorf("in force:\n%s", diff)
	}
	do("DELETE", "faults/1", "", "success")
	do("DELETE", "faults/one", "", "400")
	if f := s.Faults(); len(f) != 1 || f[0].ID != 2 {
		t.Errorf("in force: %v", f)
	}
	do("POST", "faults", `{"kind":"token"}`, "map[id:3]") // does not lock out who steers
	do("DELETE", "faults", "", "success")
	if f := s.Faults(); len(f) != 0 {
		t.Errorf("in force: %v", f)
	}
	do("POST", "templates/autumn_offer_b/pt_PT", `{"status":"PAUSED","quality":"RED"}`, "success")
	do("POST", "templates/autumn_offer_b/de", `{"status":"PAUSED"}`, "no template")
	do("POST", "numbers/500100200300401", `{"status":"FLAGGED","quality":"YELLOW"}`, "success")
	do("POST", "numbers/1", `{}`, "no number")
	b := s.Books()
	if b.Templates[0].Status != "APPROVED" || b.Templates[3].Status != "PAUSED" || b.Templates[3].Quality != "RED" || b.Numbers[1].Status != "FLAGGED" || b.Numbers[0].Status != "CONNECTED" {
		t.Errorf("templates %v, numbers %v", b.Templates, b.Numbers)
	}
	do("GET", "weather", "", "404 map[problem:sandbox: nothing is steered by GET")
}

// lines reads a list that control writes.
func lines[T any](t *testing.T, s *Sandbox, path string) (all []T) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL()+"/_stand_in/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Token().Reveal())
	client := newClient(1)
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	for in := bufio.NewScanner(res.Body); in.Scan(); {
		var v T
		if err := json.Unmarshal(in.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", in.Bytes(), err)
		}
		all = append(all, v)
	}
	return all
}

// TestJournal holds the three ways to read what was accepted against each other
// and against the answers, with requests that end in every way.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accepted.ndjson")
	if err := os.WriteFile(path, []byte("{\"wamid\":\"earlier\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, stop := start(t, Options{Speed: 1, Messages: -1, AcceptedLog: path, Faults: []Fault{
		{Kind: FaultDrop, Taken: true, Share: 0.2},
		{Kind: FaultDrop, Share: 0.2},
		{Kind: FaultRefuse, Code: 131000, Share: 0.2},
	}}, newReceiver(t, nil))
	answered := map[string]bool{}
	for i := range 100 {
		before := s.opts.Now()
		got := try(s, http.MethodPost, "/"+numberIDs[i%2]+"/messages",
			strings.Replace(sendBody("+351912345678", fmt.Sprintf("+35193%07d", i)), "c:1", fmt.Sprintf("é:%d", i), 1))
		if got.ok() {
			id, _ := got.message()
			answered[id] = true
		}
		all := s.Requests()
		r := all[len(all)-1]
		if len(all) != i+1 || r.CallbackData != fmt.Sprintf("é:%d", i) || r.From != numberIDs[i%2] || r.Template != CampaignTemplate {
			t.Fatalf("request %d is kept as %+v", i, r)
		}
		if r.FirstByte.Before(before) || r.LastByte.Before(r.FirstByte) || s.opts.Now().Before(r.LastByte) {
			t.Errorf("request %d came from %v to %v, and was sent after %v", i, r.FirstByte, r.LastByte, before)
		}
	}
	accepted, kept := s.Accepted(), lines[Accepted](t, s, "accepted")
	if diff := gocmp.Diff(accepted, kept); diff != "" {
		t.Errorf("what is accepted, and what control says:\n%s", diff)
	}
	if got := lines[Accepted](t, s, fmt.Sprint("accepted?after=", len(accepted)-3)); len(got) != 3 || got[2] != accepted[len(accepted)-1] {
		t.Errorf("the last three: %v", got)
	}
	requests := lines[Request](t, s, "requests")
	stop()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	onDisk := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if len(onDisk) != len(accepted)+1 || onDisk[0] != `{"wamid":"earlier"}` {
		t.Fatalf("the log has %d lines, %d were accepted", len(onDisk), len(accepted))
	}
	ids := map[string]bool{}
	for i, a := range accepted {
		var line Accepted
		if err := json.Unmarshal([]byte(onDisk[i+1]), &line); err != nil || line != a {
			t.Errorf("line %d is %s (%v), want %+v", i+1, onDisk[i+1], err, a)
		}
		ids[a.WAMID] = true
	}
	for id := range answered {
		if !ids[id] {
			t.Errorf("%s was answered and is not in the log", id)
		}
	}
	codes, wamids := 0, 0
	for _, r := range requests {
		if r.Code != 0 {
			codes++
		}
		if r.WAMID != "" {
			wamids++
		}
	}
	if len(ids) != len(accepted) || wamids != len(accepted) || codes == 0 || len(answered) == len(accepted) || wamids+codes == len(requests) {
		t.Errorf("%d accepted, %d answered, %d refused, %d requests: not every ending was seen", len(accepted), len(answered), codes, len(requests))
	}
}

func TestTheLatestRequestsAreKept(t *testing.T) {
	j := &journal{}
	const more = 7
	for i := range keepRequests + more {
		j.note(Request{Code: i})
	}
	kept := (&Sandbox{journal: j}).Requests()
	if len(kept) != keepRequests || kept[0].Code != more || kept[len(kept)-1].Code != keepRequests+more-1 {
		t.Errorf("%d are kept, from %d to %d", len(kept), kept[0].Code, kept[len(kept)-1].Code)
	}
}

// TestArrivals sends requests over one connection, each headers first: that they
// have been read shows when the stand-in asks for the body.
func TestArrivals(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	body := sendBody("", "")
	for i := range 3 {
		before := s.opts.Now()
		_, err := fmt.Fprintf(c, "POST /%s/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
			numberIDs[0], s.Token().Reveal(), len(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
			if line, err := in.ReadString('\n'); line != want {
				t.Fatalf("%q, %v", line, err)
			}
		}
		between := s.opts.Now()
		if _, err := c.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		all := s.Requests()
		if r := all[i]; len(all) != i+1 || r.FirstByte.Before(before) || r.FirstByte.After(between) || r.LastByte.Before(between) {
			t.Errorf("request %d began at %v, had its headers read at %v, and is kept as %+v", i, before, between, r)
		}
	}
}

// A message that cannot be logged is not accepted.
func TestNothingIsAcceptedUnlogged(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1, AcceptedLog: filepath.Join(t.TempDir(), "accepted.ndjson")}, newReceiver(t, nil))
	ask(t, s, numberIDs[0], "+351912345678")
	if err := s.journal.close(); err != nil {
		t.Fatal(err)
	}
	got := ask(t, s, numberIDs[0], "+351912345678")
	if got.String() != "500 131000" || len(s.Accepted()) != 1 || len(s.Books().Messages) != 1 {
		t.Errorf("answered %q, %d accepted", got, len(s.Accepted()))
	}
	if s.journal.file, _ = os.Open(os.DevNull); s.journal.file == nil { // so that it can be closed again
		t.Error("no /dev/null")
	}
}
