package cli

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sheetAccount writes the key file of a service account whose tokens come from a server.
func sheetAccount(t *testing.T, server string, mode os.FileMode) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "rows@example.com", "token_uri": server + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

func TestCheckSheet(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":3600,"token_type":"Bearer"}`))
			return
		}
		if r.Method != http.MethodGet || r.URL.Path != "/v4/spreadsheets/sheet-1/values/A:E" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	good := SheetConfig{SpreadsheetID: "sheet-1", Range: "A:E", ServiceAccountFile: sheetAccount(t, server.URL, 0o600), URL: server.URL}
	found(t, checkSheet(t.Context(), SheetConfig{}), "ok", "no sheet")
	found(t, checkSheet(t.Context(), good), "ok", "A:E can be read")
	status = http.StatusForbidden
	found(t, checkSheet(t.Context(), good), "FAIL", "share it with rows@example.com")
	status = http.StatusNotFound
	found(t, checkSheet(t.Context(), good), "FAIL", "sheet.spreadsheet_id")
	open := good
	open.ServiceAccountFile = sheetAccount(t, server.URL, 0o644)
	found(t, checkSheet(t.Context(), open), "FAIL", "chmod 600", "[sheet]")
	open.ServiceAccountFile += ".gone"
	found(t, checkSheet(t.Context(), open), "FAIL", "sheet.service_account_file")
	server.Close()
	found(t, checkSheet(t.Context(), good), "FAIL", "cannot be reached")
}

func TestSheetConfig(t *testing.T) {
	for text, want := range map[string]string{
		"spreadsheet_id = \"1AbC_d-9\"\nservice_account_file = \"a.json\"": "",
		"":                                  "",
		"spreadsheet_id = \"1AbC\"":         "service_account_file",
		"service_account_file = \"a.json\"": "sheet.spreadsheet_id",
		"spreadsheet_id = \"https://docs.google.com/x\"\nservice_account_file = \"a.json\"":                    "/d/ and /edit",
		"spreadsheet_id = \"1AbC\"\nservice_account_file = \"a.json\"\nrange = \"\"":                           "sheet.range",
		"spreadsheet_id = \"1AbC\"\nservice_account_file = \"a.json\"\nurl = \"http://sheets.googleapis.com\"": "sheet.url",
		"spreadsheet_id = \"1AbC\"\nservice_account_file = \"a.json\"\nurl = \"http://127.0.0.1:1\"":           "",
	} {
		w := newWorld(t)
		w.o.Path = w.file("[sheet]\n" + text + "\n")
		_, err := LoadConfig(w.o)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
