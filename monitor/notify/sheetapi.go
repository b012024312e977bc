package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"tickwatch/wa"
)

// SheetURL is where the Sheets API is.
const SheetURL = "https://sheets.googleapis.com"

const (
	sheetScope    = "https://www.googleapis.com/auth/spreadsheets"
	connectWithin = 10 * time.Second
	tokenWithin   = 20 * time.Second
	// answerWithin bounds one request. Google ends one itself after 180 s
	// (https://developers.google.com/workspace/sheets/api/limits).
	answerWithin = 185 * time.Second
	maxAnswer    = 16 << 20 // bytes
	longestWait  = 10 * time.Minute
)

// sheetAPI is the part of the Sheets API v4 that is used, for one sheet.
type sheetAPI struct {
	base    string // address of the spreadsheet's values
	area    string // configured range
	account *Account
	wire    *http.Transport
	token   *oauth2.Token // that was fetched last
}

func newSheetAPI(base, spreadsheet, area string, account *Account) (*sheetAPI, error) {
	base = cmp.Or(base, SheetURL)
	if err := checkURL(base); err != nil {
		return nil, fmt.Errorf("sheet.url %w: it is %s; plain http is for loopback only", err, SheetURL)
	}
	return &sheetAPI{
		base: strings.TrimRight(base, "/") + "/v4/spreadsheets/" + url.PathEscape(spreadsheet) + "/values/", area: area, account: account,
		wire: &http.Transport{
			DialContext: (&net.Dialer{Timeout: connectWithin}).DialContext, TLSHandshakeTimeout: connectWithin,
			MaxIdleConns: 2, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
	}, nil
}

// sheetError is why a request to the sheet failed.
type sheetError struct {
	text     string        // for the operator
	doubtful bool          // it may have been carried out
	lasting  bool          // it fails again until an operator does something
	after    time.Duration // how long Google asks to wait; 0 = it does not
	expired  bool          // the token is not taken any more
}

func (e *sheetError) Error() string { return e.text }

// append appends rows behind the table, and gives the number of the last row that
// it wrote; 0 when the answer does not say.
func (api *sheetAPI) append(ctx context.Context, rows [][]string) (last int64, err error) {
	body, err := json.Marshal(map[string]any{"majorDimension": "ROWS", "values": rows})
	if err != nil {
		return 0, err
	}
	// RAW keeps every cell a text: nothing is taken for a formula, or a number for a date.
	answer, err := api.do(ctx, http.MethodPost, url.PathEscape(api.area)+":append?valueInputOption=RAW&insertDataOption=INSERT_ROWS&fields=updates.updatedRange", body)
	if err != nil {
		return 0, err
	}
	var said struct {
		Updates struct {
			UpdatedRange string `json:"updatedRange"`
		} `json:"updates"`
	}
	_ = json.Unmarshal(answer, &said) // it was carried out all the same
	return lastRow(said.Updates.UpdatedRange), nil
}

// errSheetTooLong says that a sheet cannot be looked through.
var errSheetTooLong = errors.New("what the sheet holds is too long to look through")

// below reads the rows behind a row, as texts; 0 = all of the range.
func (api *sheetAPI) below(ctx context.Context, row int64) (rows [][]string, err error) {
	answer, err := api.do(ctx, http.MethodGet, url.PathEscape(areaBelow(api.area, row))+"?majorDimension=ROWS&valueRenderOption=UNFORMATTED_VALUE&fields=values", nil)
	if err != nil {
		if e := (*sheetError)(nil); errors.As(err, &e) {
			e.doubtful = false // to look changes nothing
		}
		return nil, err
	}
	var said struct {
		Values [][]any `json:"values"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, &sheetError{text: "the sheet's answer cannot be read"}
	}
	for _, cells := range said.Values {
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = fmt.Sprint(c)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// probe asks whether the range can be read at all.
func (api *sheetAPI) probe(ctx context.Context) error {
	_, err := api.do(ctx, http.MethodGet, url.PathEscape(api.area)+"?fields=range", nil)
	return err
}

// do makes one request and gives the body of a good answer. Its errors are
// *sheetError or errSheetTooLong.
func (api *sheetAPI) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	token, err := api.authorize(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, api.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, &sheetError{text: "sheet.spreadsheet_id or sheet.range cannot be part of an address: compare them with the sheet's", lasting: true}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tickwatch")
	res, err := api.wire.RoundTrip(req) // an http.Client would follow redirects and print addresses
	if err != nil {
		return nil, unreached(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case res.StatusCode != http.StatusOK:
		return nil, api.refusal(res, answer)
	case err != nil:
		return nil, &sheetError{text: "the sheet's answer broke off: it is tried again", doubtful: true}
	case len(answer) > maxAnswer:
		return nil, errSheetTooLong
	}
	return answer, nil
}

// unreached is the error of a request that got no answer.
func unreached(err error) error {
	dial := (*net.OpError)(nil)
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &sheetError{text: "Google cannot be reached (" + wa.Clean(err.Error()) + "): look at this machine's network; it is tried again"}
	}
	return &sheetError{text: "the connection to Google broke (" + wa.Clean(err.Error()) + "): it is tried again", doubtful: true}
}

// refusal is the error of an answer that is not 200. Of the codes see
// https://developers.google.com/workspace/sheets/api/troubleshoot-api-errors.
func (api *sheetAPI) refusal(res *http.Response, body []byte) error {
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // a proxy may answer anything
	e := &sheetError{after: retryAfter(res)}
	what := fmt.Sprintf("HTTP %d: %.200s", res.StatusCode, wa.Clean(said.Error.Message))
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests:
		e.text = "Google's quota is used up (" + what + "): it is tried again"
	case code == http.StatusUnauthorized:
		e.text, e.expired = "Google does not take the service account's token ("+what+"): see that the account is enabled", true
	case code == http.StatusForbidden:
		e.text, e.lasting = "the sheet may not be written ("+what+"): share it with "+api.account.Email+" as an editor, and enable the Sheets API in its project", true
	case code == http.StatusNotFound:
		e.text, e.lasting = "there is no such spreadsheet ("+what+"): correct sheet.spreadsheet_id, the part of its address between /d/ and /edit", true
	case code >= 500 || code == http.StatusRequestTimeout:
		e.text, e.doubtful = "Google has a fault ("+what+"): it is tried again", true
	default:
		e.text, e.lasting = "Google refuses the rows ("+what+"): see that sheet.range names a sheet of the spreadsheet, and that it has room: a spreadsheet holds ten million cells", true
	}
	return e
}

// retryAfter is how long an answer asks to wait, in seconds; 0 = it does not.
func retryAfter(res *http.Response) time.Duration {
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, longestWait)
}

// authorize gives an access token, a new one where the last is about to expire.
func (api *sheetAPI) authorize(ctx context.Context) (string, error) {
	if api.token.Valid() {
		return api.token.AccessToken, nil
	}
	ctx, cancel := context.WithTimeout(ctx, tokenWithin)
	defer cancel()
	conf := jwt.Config{
		Email: api.account.Email, PrivateKey: []byte(api.account.key.Reveal()), PrivateKeyID: api.account.keyID,
		Scopes: []string{sheetScope}, TokenURL: api.account.tokenURL,
	}
	client := &http.Client{
		Transport:     within{ctx, api.wire}, // the library asks without the context
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	token, err := conf.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, client)).Token()
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		var said struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(refused.Body, &said)
		code := refused.Response.StatusCode
		return "", &sheetError{
			text: fmt.Sprintf("Google gives the service account no token (HTTP %d: %.200s): see that its key was not deleted and that this machine's clock is right",
				code, wa.Clean(cmp.Or(said.Description, said.Error))),
			lasting: code < 500 && code != http.StatusTooManyRequests, after: retryAfter(refused.Response),
		}
	}
	if err != nil {
		return "", &sheetError{text: "Google's token service cannot be reached (" + wa.Clean(err.Error()) + "): look at this machine's network; it is tried again"}
	}
	api.token = token
	return token.AccessToken, nil
}

// within makes requests of a context's.
type within struct {
	ctx  context.Context //nolint:containedctx // of one call
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.next.RoundTrip(r.WithContext(w.ctx))
}

var (
	areaForm  = regexp.MustCompile(`^(.*!)?([A-Za-z]{1,3})[0-9]*:([A-Za-z]{1,3})[0-9]*$`)
	rangeForm = regexp.MustCompile(`[A-Z]{1,3}([0-9]{1,8})$`)
)

// areaBelow is the part of a range behind a row: of Sheet1!A:E behind row 7 it is
// Sheet1!A8:E. A range of another form is given as it is.
func areaBelow(area string, row int64) string {
	m := areaForm.FindStringSubmatch(area)
	if m == nil || row == 0 {
		return area
	}
	return fmt.Sprintf("%s%s%d:%s", m[1], m[2], row+1, m[3])
}

// lastRow is the number of the last row of a range; 0 = it is not known.
func lastRow(area string) int64 {
	m := rangeForm.FindStringSubmatch(area)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // of eight digits at most
	return n
}
