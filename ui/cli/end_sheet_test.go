package cli_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// spreadsheet stands in for Google: rows are appended, and read back from a row on.
type spreadsheet struct {
	mu      sync.Mutex
	rows    [][]string
	appends int
}

func (s *spreadsheet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	area, isValues := strings.CutPrefix(r.URL.Path, "/v4/spreadsheets/sheet-1/values/")
	switch {
	case r.URL.Path == "/token":
		fmt.Fprint(w, `{"access_token":"t","expires_in":3600,"token_type":"Bearer"}`)
	case isValues && r.Method == http.MethodGet:
		first, _, _ := strings.Cut(strings.TrimPrefix(area, "A"), ":")
		from, _ := strconv.Atoi(first)
		_ = json.NewEncoder(w).Encode(map[string]any{"values": s.rows[min(max(from-1, 0), len(s.rows)):]})
	case isValues:
		var said struct{ Values [][]string }
		if json.NewDecoder(r.Body).Decode(&said) != nil {
			return
		}
		s.rows = append(s.rows, said.Values...)
		s.appends++
		fmt.Fprintf(w, `{"updates":{"updatedRange":"Sheet1!A1:E%d"}}`, len(s.rows))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *spreadsheet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// A daemon that is killed again and again has every failure in the sheet, none of
// them twice.
func TestSheetOfAKilledDaemon(t *testing.T) {
	t.Parallel()
	sheet := &spreadsheet{}
	google := httptest.NewServer(sheet)
	defer google.Close()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "rows@example.com", "token_uri": google.URL + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t)
	file := filepath.Join(dir, "account.json")
	if err := os.WriteFile(file, account, 0o600); err != nil {
		t.Fatal(err)
	}
	env := environment(dir, "TICKWATCH_SHEET_SPREADSHEET_ID=sheet-1", "TICKWATCH_SHEET_SERVICE_ACCOUNT_FILE="+file, "TICKWATCH_SHEET_URL="+google.URL)
	dice := mathrand.New(mathrand.NewPCG(5, 5))
	people := newCrowd(5)
	for range 4 {
		s := launchIn(t, dir, env, "tickwatch", "serve")
		before := sheet.len()
		s.deliver(people.webhooks(80))
		if dice.IntN(2) == 0 { // while rows are under way; else before they are
			waitFor(t, "rows come", func() bool { return sheet.len() > before })
		}
		s.end(syscall.SIGKILL)
	}
	s := launchIn(t, dir, env, "tickwatch", "serve")
	failed := settled(t, s).Campaigns[0].Counts.Failed
	if failed == 0 {
		t.Fatal("nothing failed")
	}
	waitFor(t, "every failure is in the sheet", func() bool { return int64(sheet.len()) >= failed })
	s.end(syscall.SIGINT)
	sheet.mu.Lock()
	defer sheet.mu.Unlock()
	seen := map[string]bool{}
	for _, row := range sheet.rows {
		seen[strings.Join(row, "|")] = true
	}
	// A message that failed and was delivered later stays in the sheet.
	if int64(len(sheet.rows)) < failed || len(seen) != len(sheet.rows) || sheet.appends < 2 {
		t.Errorf("%d rows, %d different, in %d batches; %d messages failed", len(sheet.rows), len(seen), sheet.appends, failed)
	}
}
