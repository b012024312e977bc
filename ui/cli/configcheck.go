package cli

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor"
	"tickwatch/wa"
)

// maxSocket is what the kernel takes of a Unix socket's path, without the
// zero byte behind it.
const maxSocket = 107

// longestJudge is the length of the window in which a campaign is judged.
const longestJudge = 30 * time.Minute

// workOut fills the defaults that depend on other values.
func (c *Config) workOut(env map[string]string) error {
	if c.Data.Dir == "" {
		state := xdg(env, "XDG_STATE_HOME", filepath.Join(".local", "state"))
		if state == "" {
			return values{}.fault("data.dir", "neither XDG_STATE_HOME nor HOME says where to keep data; set data.dir or %s", envName("data.dir"))
		}
		c.Data.Dir = filepath.Join(state, "tickwatch")
	}
	if c.Link.Socket == "" {
		c.Link.Socket = filepath.Join(c.Data.Dir, "tickwatch.sock")
	}
	return nil
}

// check holds what must be true of values and pairs of values.
func (c *Config) check(v values) error {
	if n := len(c.Link.Socket); n > maxSocket {
		return v.fault("link.socket", "%s is %d bytes long and a socket's path has at most %d; set link.socket to a shorter one", c.Link.Socket, n, maxSocket)
	}
	if !validAddress(c.Webhook.Listen) {
		return v.fault("webhook.listen", "%s is no address; write host:port, such as 127.0.0.1:8480", quoted(c.Webhook.Listen))
	}
	if s := c.Metrics.Listen; s != "" && !validAddress(s) {
		return v.fault("metrics.listen", "%s is no address; write host:port, such as 127.0.0.1:9480, or nothing for no metrics", quoted(s))
	}
	switch {
	case c.Webhook.TLSCert != "" && c.Webhook.TLSKey == "":
		return v.fault("webhook.tls_cert", "is set without webhook.tls_key; set both for HTTPS, or neither behind a TLS proxy")
	case c.Webhook.TLSKey != "" && c.Webhook.TLSCert == "":
		return v.fault("webhook.tls_key", "is set without webhook.tls_cert; set both for HTTPS, or neither behind a TLS proxy")
	}
	if s := c.Webhook.PublicURL; s != "" && !validPublicURL(s) {
		return v.fault("webhook.public_url", "is no public address; write https://host or https://host/path as the providers call it, without user, ? and #")
	}
	if err := c.Graph.check(v); err != nil {
		return err
	}
	if err := c.Seeds.check(v); err != nil {
		return err
	}
	if err := c.Suppress.check(v); err != nil {
		return err
	}
	if err := c.Auto.check(v); err != nil {
		return err
	}
	if err := c.Sheet.check(v); err != nil {
		return err
	}
	if err := c.Notify.check(v); err != nil {
		return err
	}
	return c.Thresholds.check(v)
}

var (
	graphVersion = regexp.MustCompile(`^v[1-9][0-9]?\.[0-9]$`)
	graphID      = regexp.MustCompile(`^[0-9]{1,20}$`)
)

func (g GraphConfig) check(v values) error {
	if !validPublicURL(g.BaseURL) {
		return v.fault("graph.base_url", "is no address of the Graph API; write https://host, without user, ? and #; plain http is for loopback only")
	}
	if !graphVersion.MatchString(g.Version) {
		return v.fault("graph.version", "%s is no version of the Graph API; write one such as v26.0", quoted(g.Version))
	}
	if strings.ContainsFunc(g.AccessToken.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return v.fault(secretKey(v, "graph.access_token"), "has a blank or a character in it that no access token has; copy it again")
	}
	if g.WABAID != "" && !graphID.MatchString(g.WABAID) {
		return v.fault("graph.waba_id", "%s is no id; Meta's ids are digits alone, and WhatsApp Manager shows them", quoted(g.WABAID))
	}
	for _, id := range g.PhoneNumberIDs {
		if !graphID.MatchString(id) {
			return v.fault("graph.phone_number_ids", "%s is no id; it is not the phone number itself but its phone_number_id, digits alone, which WhatsApp Manager shows", quoted(id))
		}
	}
	return nil
}

func (a AutoConfig) check(v values) error {
	for key, mode := range map[string]string{"auto.delivery": a.Delivery, "auto.reports": a.Reports} {
		switch mode {
		case monitor.AutoOff, monitor.AutoAdvise, monitor.AutoAct:
		default:
			return v.fault(key, "%s is none of off, advise and act", quoted(mode))
		}
	}
	return nil
}

// auto is what the monitor may do by itself.
func (a AutoConfig) auto() monitor.Auto {
	return monitor.Auto{
		Delivery: a.Delivery, Reports: a.Reports, BlindAfter: a.BlindAfter, Template: a.Template, Account: a.Account, Disk: a.Disk,
		SecondPersonOver: int64(a.SecondPersonOver),
	}
}

func (s SuppressConfig) check(v values) error {
	if _, err := s.rules(); err != nil {
		return v.fault("suppress.rules_off", "%w", err)
	}
	for _, word := range s.StopWords {
		if wa.FoldStopWord(word) == "" {
			return v.fault("suppress.stop_words", "%s has no letter in it; write a word that people send to opt out", quoted(word))
		}
	}
	return nil
}

var spreadsheetID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

func (s SheetConfig) check(v values) error {
	switch {
	case !validPublicURL(s.URL):
		return v.fault("sheet.url", "is no address of the Sheets API; write https://host, without user, ? and #; plain http is for loopback only")
	case s.SpreadsheetID == "" && s.ServiceAccountFile != "":
		return v.fault("sheet.service_account_file", "is set without sheet.spreadsheet_id; set both for a sheet, or neither")
	case s.SpreadsheetID == "":
		return nil
	case !spreadsheetID.MatchString(s.SpreadsheetID):
		return v.fault("sheet.spreadsheet_id", "%s is no id; it is the part of the spreadsheet's address between /d/ and /edit", quoted(s.SpreadsheetID))
	case s.ServiceAccountFile == "":
		return v.fault("sheet.spreadsheet_id", "is set without sheet.service_account_file; name the key file of a service account that may edit the spreadsheet")
	case s.Range == "":
		return v.fault("sheet.range", "is empty; write where the table is, such as A:E or Rejected!A:E")
	}
	return nil
}

// rules are those in force.
func (s SuppressConfig) rules() (wa.SuppressRules, error) {
	rules := wa.DefaultSuppressRules()
	rules.Withheld(s.WithheldDays, s.WithheldOften)
	for _, name := range s.RulesOff {
		if err := rules.TurnOff(name); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// secretKey is the key that gave a secret: itself, or that of its file.
func secretKey(v values, key string) string {
	if _, inFile := v[key+fileSuffix]; inFile {
		return key + fileSuffix
	}
	return key
}

func (t ThresholdsConfig) check(v values) error {
	for _, p := range [...]struct {
		name          string
		better, worse float64 // the larger of ok and act must be the one that high is good for
	}{
		{"delivery", t.DeliveryOK, t.DeliveryAct},
		{"callbacks", t.CallbacksOK, t.CallbacksAct},
	} {
		if p.better < p.worse {
			return v.faultOfPair("thresholds."+p.name, "ok (%v) is below act (%v); a high rate is good, so ok is the larger", p.better, p.worse)
		}
	}
	for _, p := range [...]struct {
		name    string
		ok, act float64
	}{
		{"reports", t.ReportsOK, t.ReportsAct},
		{"cpu", t.CPUOK, t.CPUAct},
		{"memory", t.MemoryOK, t.MemoryAct},
		{"disk", t.DiskOK, t.DiskAct},
		{"queue", t.QueueOK, t.QueueAct},
	} {
		if p.ok > p.act {
			return v.faultOfPair("thresholds."+p.name, "ok (%v) is above act (%v); a high rate is bad, so ok is the smaller", p.ok, p.act)
		}
	}
	if t.JudgeAfter > longestJudge {
		return v.fault("thresholds.judge_after", "%v is longer than the %v in which a campaign is judged; write a shorter span, such as \"10s\"", t.JudgeAfter, longestJudge)
	}
	return nil
}

// faultOfPair is a fault between the _ok and the _act of a threshold, blamed on
// the one that was set.
func (v values) faultOfPair(name, format string, args ...any) error {
	key := name + "_ok"
	if _, set := v[name+"_act"]; set {
		key = name + "_act"
	}
	return v.fault(key, format, args...)
}

func validAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && validPort(port) && !strings.ContainsAny(host, " /")
}

func validPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// validPublicURL wants https, or http on loopback for a trial.
func validPublicURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// nearest is the known key that is least different from one that is not known,
// the first of those that are. A key without its section, or in a wrong one, is
// compared by its last part too.
func nearest(key string, known []string) string {
	last := func(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
	key = strings.ToLower(key)
	apart := func(to string) (least, whole int) {
		lower := strings.ToLower(to)
		whole = distance(key, lower)
		if strings.HasPrefix(lower, key+"_") { // the half of a pair
			return 1, 0
		}
		return min(whole, 1+distance(last(key), last(lower))), whole
	}
	return slices.MinFunc(known, func(a, b string) int {
		leastA, wholeA := apart(a)
		leastB, wholeB := apart(b)
		return cmp.Or(cmp.Compare(leastA, leastB), cmp.Compare(wholeA, wholeB))
	})
}

// distance is how many characters to put in, take out or change to make one
// text of the other (Levenshtein).
func distance(a, b string) int {
	const longest = 200 // a key that long is none of ours
	a, b = a[:min(len(a), longest)], b[:min(len(b), longest)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
