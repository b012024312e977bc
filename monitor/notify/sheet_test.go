package notify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/store"
	"tickwatch/wa"
)

const received = wa.Instant(1_795_170_000_000)

func openStore(t interface{ Fatalf(string, ...any) }, dir string) *store.Store {
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Now: received.Time, Sheet: true, Throwaway: true})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

// tell ingests that a message has a status, and gives the row that a failure makes.
func tell(t interface{ Fatalf(string, ...any) }, s *store.Store, n int, status wa.Status) []string {
	return tellOf(t, s, n, status, received-wa.Instant(n)*1000)
}

func tellOf(t interface{ Fatalf(string, ...any) }, s *store.Store, n int, status wa.Status, at wa.Instant) []string {
	phone := fmt.Sprint(351900000000 + n)
	u := wa.StatusUpdate{
		Sender: wa.Sender{NumberID: "500", Display: "4915550001"}, MessageID: fmt.Sprint("wamid.", n), Status: status,
		At: at, CallbackData: "x:1", Person: wa.Person{Phone: phone},
	}
	if status == wa.StatusFailed {
		u.Code, u.Details = 131026, "=1+1"
	}
	if err := s.Ingest(context.Background(), &wa.Post{Source: "meta", ReceivedAt: received, Body: []byte("{}"), Statuses: []wa.StatusUpdate{u}}); err != nil {
		t.Fatalf("%v", err)
	}
	return []string{u.At.Text(), "+4915550001", "+" + phone, "failed", "131026 Message Undeliverable: =1+1"}
}

func (g *google) sheetOf(t interface{ Fatalf(string, ...any) }, queue SheetQueue, account *Account) *Sheet {
	s, err := NewSheet(SheetOptions{
		Queue: queue, Spreadsheet: "sheet-1", Range: "Rejected!A:E", Account: account, URL: g.URL, Now: received.Time,
		every: time.Millisecond, patience: 4 * time.Millisecond, mending: 4 * time.Millisecond, batch: 3,
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

// until waits for a condition while a sheet runs.
func until(t interface{ Fatalf(string, ...any) }, s *Sheet, what string, holds func() bool) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			t.Fatalf("waited in vain: %s; %+v", what, s.State())
		}
	}
}

// Every failure is in the sheet once, in the order in which it was told, whatever
// Google answers and whenever the daemon is killed and begins again.
func TestEveryRowOnce(t *testing.T) {
	g := newGoogle(t)
	account, err := ReadAccount(g.accountFile(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		folder := filepath.Join(dir, fmt.Sprint(round))
		defer os.RemoveAll(folder)
		var want [][]string
		g.mu.Lock()
		g.sheet = nil
		if rapid.Bool().Draw(t, "header") {
			g.sheet = [][]string{wa.RejectedColumns}
			want = slices.Clone(g.sheet)
		}
		g.mu.Unlock()
		plan := rapid.SliceOfN(rapid.IntRange(0, int(faults)-1), 0, 12).Draw(t, "faults")
		kills := rapid.SliceOfN(rapid.IntRange(1, 4), 0, 2).Draw(t, "kills") // after so many requests each
		n := 0
		for life := 0; life <= len(kills); life++ {
			s := openStore(t, folder)
			for range rapid.IntRange(0, 7).Draw(t, "failures") {
				n++
				want = append(want, tell(t, s, n, wa.StatusFailed))
				tellOf(t, s, n, wa.StatusFailed, received-10_000_000) // told again, and that it failed before
				tell(t, s, 1000+n, wa.StatusDelivered)
			}
			sheet := g.sheetOf(t, s, account)
			ctx, kill := context.WithCancel(context.Background())
			left := -1
			if life < len(kills) {
				left = kills[life]
			}
			g.mu.Lock()
			g.wrong = func() fault {
				if len(plan) == 0 {
					return noFault
				}
				next := fault(plan[0])
				plan = plan[1:]
				return next
			}
			g.after = func(int) {
				if left--; left == 0 {
					kill()
				}
			}
			g.mu.Unlock()
			ended := make(chan struct{})
			go func() { defer close(ended); sheet.Run(ctx) }()
			deadline := time.After(30 * time.Second)
			for done := false; !done; {
				select {
				case <-ended:
					done = true
				case <-deadline:
					t.Fatalf("it does not get on: %+v", sheet.State())
				case <-time.After(time.Millisecond):
					behind, _, err := s.SheetBehind(context.Background())
					if err != nil {
						t.Fatalf("%v", err)
					}
					done = behind == 0
				}
			}
			kill()
			<-ended
			g.busy.Wait() // what was under way is carried out, or was not
			if err := s.Close(); err != nil {
				t.Fatalf("%v", err)
			}
		}
		g.mu.Lock()
		g.wrong, g.after = nil, nil
		g.mu.Unlock()
		s := openStore(t, folder)
		defer s.Close()
		until(t, g.sheetOf(t, s, account), "nothing waits", func() bool {
			behind, _, err := s.SheetBehind(context.Background())
			return err == nil && behind == 0
		})
		g.mu.Lock()
		defer g.mu.Unlock()
		if diff := cmp.Diff(want, g.sheet); diff != "" {
			t.Fatalf("the sheet is not what was told (-told +sheet):\n%s", diff)
		}
	})
}

// What hinders the sheet is told with what helps, and passes when it is mended;
// meanwhile rows wait.
func TestWhatHinders(t *testing.T) {
	for wrong, want := range map[fault]struct {
		text    string
		lasting bool
	}{
		quota: {"quota", false}, brokenBefore: {"Google has a fault", false}, resetBefore: {"the connection to Google broke", false},
		revoked: {"token", false}, forbidden: {"share it with " + email, true}, missing: {"sheet.spreadsheet_id", true},
	} {
		g := newGoogle(t)
		account, err := ReadAccount(g.accountFile(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		s := openStore(t, t.TempDir())
		row := tell(t, s, 1, wa.StatusFailed)
		g.wrong = func() fault { return wrong }
		sheet := g.sheetOf(t, s, account)
		until(t, sheet, want.text, func() bool {
			st := sheet.State()
			return strings.Contains(st.Trouble, want.text) && st.Lasting == want.lasting && st.Behind == 1 && st.TroubleSince == received && st.Since == received
		})
		g.mu.Lock()
		g.wrong = nil
		g.mu.Unlock()
		until(t, sheet, "it is mended", func() bool {
			st := sheet.State()
			return st.Trouble == "" && st.Behind == 0 && st.Appended == 1 && st.Latest == received
		})
		if diff := cmp.Diff([][]string{row}, g.sheet); diff != "" {
			t.Errorf("%s: %s", want.text, diff)
		}
		_ = s.Close()
	}
}

// A token is used until it expires, and a service that gives none is told of.
func TestTokens(t *testing.T) {
	g := newGoogle(t)
	account, err := ReadAccount(g.accountFile(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, t.TempDir())
	defer s.Close()
	sheet := g.sheetOf(t, s, account)
	g.refuse = 400
	tell(t, s, 1, wa.StatusFailed)
	until(t, sheet, "no token", func() bool {
		return strings.Contains(sheet.State().Trouble, "account not found") && sheet.State().Lasting
	})
	g.mu.Lock()
	g.refuse = 0
	g.mu.Unlock()
	for n := range 12 {
		tell(t, s, n+2, wa.StatusFailed)
	}
	until(t, sheet, "all is there", func() bool { return sheet.State().Appended == 13 })
	if g.issued != 1 || len(g.asked) < 5 {
		t.Errorf("%d tokens for %d requests", g.issued, len(g.asked))
	}
	g.life = 1 // less than is left in hand
	sheet.api.token = nil
	for n := range 6 {
		tell(t, s, n+20, wa.StatusFailed)
	}
	until(t, sheet, "all is there", func() bool { return sheet.State().Appended == 19 })
	if g.issued < 3 {
		t.Errorf("%d tokens, though each was about to expire", g.issued)
	}
}

// What was delivered before its row's turn is left out.
func TestDeliveredAfterAll(t *testing.T) {
	g := newGoogle(t)
	account, err := ReadAccount(g.accountFile(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, t.TempDir())
	defer s.Close()
	for n := range 7 {
		tell(t, s, n, wa.StatusFailed)
		if n != 5 {
			tell(t, s, n, wa.StatusDelivered)
		}
	}
	sheet := g.sheetOf(t, s, account)
	until(t, sheet, "nothing waits", func() bool { return sheet.State().Behind == 0 && sheet.State().Appended == 1 })
	if len(g.sheet) != 1 || g.sheet[0][2] != "+351900000005" {
		t.Errorf("%v", g.sheet)
	}
}

// Rows of another sheet are not looked for in this one.
func TestAnotherSheet(t *testing.T) {
	g := newGoogle(t)
	account, err := ReadAccount(g.accountFile(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, t.TempDir())
	defer s.Close()
	tell(t, s, 1, wa.StatusFailed)
	if err := s.SaveSheet(t.Context(), wa.SheetMark{Target: "another", Row: 70, Upto: 1, Rows: 1, Digest: []byte("x")}, 0); err != nil {
		t.Fatal(err)
	}
	sheet := g.sheetOf(t, s, account)
	until(t, sheet, "it is there", func() bool { return sheet.State().Appended == 1 })
	if slices.Contains(g.asked, "GET") {
		t.Errorf("it was looked for: %v", g.asked)
	}
	if m, err := s.SheetMark(t.Context()); err != nil || m.Target != "sheet-1 Rejected!A:E" || m.Row != 1 || m.Upto != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestReadAccount(t *testing.T) {
	g := newGoogle(t)
	if a, err := ReadAccount(g.accountFile(t, nil)); err != nil || a.Email != email || strings.Contains(fmt.Sprintf("%v %+v %#v", a, a, a), "PRIVATE") {
		t.Errorf("%+v, %v", a, err)
	}
	for what, change := range map[string]func(map[string]string){
		"not service_account": func(f map[string]string) { f["type"] = "authorized_user" },
		"no private_key":      func(f map[string]string) { f["private_key"] = "" },
		"cannot be read":      func(f map[string]string) { f["private_key"] = "SECRET" },
		"no client_email":     func(f map[string]string) { delete(f, "client_email") },
		"no https address":    func(f map[string]string) { f["token_uri"] = "http://example.com/token" },
	} {
		if _, err := ReadAccount(g.accountFile(t, change)); err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for path, want := range map[string]string{"no/such/file": "cannot be read", t.TempDir(): "no key file"} {
		if _, err := ReadAccount(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	open := g.accountFile(t, nil)
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAccount(open); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	path := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(path, []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAccount(path); err == nil || !strings.Contains(err.Error(), "is no JSON") || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%v", err)
	}
}

func TestAreas(t *testing.T) {
	for _, c := range []struct {
		area string
		row  int64
		want string
	}{
		{"A:E", 7, "A8:E"},
		{"Rejected!A1:E1", 7, "Rejected!A8:E"},
		{"'It''s a list'!B:F", 1, "'It''s a list'!B2:F"},
		{"Rejected", 7, "Rejected"},
		{"A:E", 0, "A:E"},
	} {
		if got := areaBelow(c.area, c.row); got != c.want {
			t.Errorf("%s below %d: %s, want %s", c.area, c.row, got, c.want)
		}
	}
	for area, want := range map[string]int64{"Rejected!A3:E15": 15, "'A1'!A7": 7, "": 0, "Rejected": 0, "Rejected!A:E": 0} {
		if got := lastRow(area); got != want {
			t.Errorf("%s: %d, want %d", area, got, want)
		}
	}
}
