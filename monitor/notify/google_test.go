package notify

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var accountKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

const email = "rows@project.iam.gserviceaccount.com"

// fault is what goes wrong with one request.
type fault int

const (
	noFault fault = iota
	quota         // 429, not carried out
	brokenBefore
	brokenAfter // 500, carried out all the same
	resetBefore
	resetAfter
	revoked // 401
	forbidden
	missing
	unreadable // 200 and nonsense, carried out
	faults
)

// google stands in for the token service and the Sheets API, on loopback. It
// checks what they check: the assertion's signature and claims, the token, how
// values are to be taken.
type google struct {
	*httptest.Server
	t      testing.TB
	mu     sync.Mutex
	sheet  [][]string // of Rejected, from row 1 on
	valid  map[string]bool
	issued int
	asked  []string        // methods of the requests for values, in order
	wrong  func() fault    // of the next request for values; nil = nothing is wrong
	after  func(n int)     // is told of every such request, once it is carried out or not
	life   int             // of a token, in seconds
	refuse int             // status that the token service answers; 0 = none
	busy   *sync.WaitGroup // requests under way
}

func newGoogle(t testing.TB) *google {
	g := &google{t: t, valid: map[string]bool{}, life: 3600, busy: &sync.WaitGroup{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", g.token)
	mux.HandleFunc("POST /v4/spreadsheets/sheet-1/values/{area}", g.values)
	mux.HandleFunc("GET /v4/spreadsheets/sheet-1/values/{area}", g.values)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "Requested entity was not found.") })
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.busy.Add(1)
		defer g.busy.Done()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "message": message}})
}

// token answers the JWT grant (RFC 7523) as Google does.
func (g *google) token(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuse != 0 {
		w.WriteHeader(g.refuse)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Invalid grant: account not found"}`)
		return
	}
	parts := strings.Split(r.PostFormValue("assertion"), ".")
	if r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || len(parts) != 3 {
		g.t.Errorf("no JWT grant: %v", r.PostForm)
		return
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	hash := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&accountKey().PublicKey, crypto.SHA256, hash[:], signature) != nil {
		g.t.Errorf("the assertion is not signed by the account")
		return
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Scope, Aud string
		Exp, Iat        int64
	}
	for i, to := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, to) != nil {
			g.t.Errorf("part %d of the assertion: %s", i, text)
		}
	}
	now := time.Now().Unix()
	if header.Alg != "RS256" || header.Kid != "key-1" || claims.Iss != email || claims.Scope != "https://www.googleapis.com/auth/spreadsheets" ||
		claims.Aud != g.URL+"/token" || claims.Exp <= now || claims.Exp > now+3700 || claims.Iat > now+60 {
		g.t.Errorf("%+v %+v", header, claims)
	}
	g.issued++
	token := "token-" + strconv.Itoa(g.issued)
	g.valid[token] = true
	fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d,"token_type":"Bearer"}`, token, g.life)
}

func (g *google) values(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		return // broken off while it came
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !g.valid[token] {
		refuse(w, 401, "Request had invalid authentication credentials.")
		return
	}
	g.asked = append(g.asked, r.Method)
	wrong := noFault
	if g.wrong != nil {
		wrong = g.wrong()
	}
	switch wrong {
	case brokenAfter, resetAfter, unreadable, noFault:
		g.carryOut(w, r, body.Bytes(), wrong)
	case quota:
		w.Header().Set("Retry-After", "0")
		refuse(w, 429, "Quota exceeded for quota metric 'Write requests'.")
	case brokenBefore:
		refuse(w, 503, "The service is currently unavailable.")
	case resetBefore:
		reset(w)
	case revoked:
		clear(g.valid)
		refuse(w, 401, "Request had invalid authentication credentials.")
	case forbidden:
		refuse(w, 403, "The caller does not have permission")
	case missing:
		refuse(w, 404, "Requested entity was not found.")
	}
	if g.after != nil {
		g.after(len(g.asked))
	}
}

// carryOut reads or appends, and answers unless that is what goes wrong.
func (g *google) carryOut(w http.ResponseWriter, r *http.Request, body []byte, wrong fault) {
	area := r.PathValue("area")
	var answer any
	if r.Method == http.MethodGet {
		from := 1
		if first, _, _ := strings.Cut(strings.TrimPrefix(area, "Rejected!A"), ":"); first != "" {
			from, _ = strconv.Atoi(first)
		}
		if !strings.HasPrefix(area, "Rejected!A") || !strings.HasSuffix(area, ":E") || from < 1 {
			g.t.Errorf("GET %s", area)
		}
		answer = map[string]any{"values": g.sheet[min(from-1, len(g.sheet)):]}
	} else {
		query := r.URL.Query()
		if area != "Rejected!A:E:append" || query.Get("valueInputOption") != "RAW" || query.Get("insertDataOption") != "INSERT_ROWS" {
			g.t.Errorf("POST %s %v", area, query)
		}
		var said struct{ Values [][]string }
		if err := json.Unmarshal(body, &said); err != nil {
			g.t.Errorf("%s: %v", body, err)
		}
		first := len(g.sheet) + 1
		g.sheet = append(g.sheet, said.Values...)
		answer = map[string]any{"updates": map[string]any{"updatedRange": fmt.Sprintf("Rejected!A%d:E%d", first, len(g.sheet))}}
	}
	switch wrong {
	case brokenAfter:
		refuse(w, 500, "Internal error encountered.")
	case resetAfter:
		reset(w)
	case unreadable:
		fmt.Fprint(w, "<html>")
	default:
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// reset breaks the connection.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// account writes a key file, changed as asked.
func (g *google) accountFile(t testing.TB, change func(map[string]string)) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(accountKey())
	if err != nil {
		t.Fatal(err)
	}
	file := map[string]string{
		"type": "service_account", "client_email": email, "private_key_id": "key-1", "token_uri": g.URL + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	if change != nil {
		change(file)
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
