package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// graph serves the part of the Graph API that tickwatch and its neighbours use
// (whatsapp.md §3), and beside it what steers the stand-in. Paths of the Graph
// API may begin with a version or not, as at Meta.
func (s *Sandbox) graph() http.Handler {
	routes := http.NewServeMux()
	routes.Handle("POST /{id}/messages", s.postMessage(false))
	routes.Handle("POST /{id}/marketing_messages", s.postMessage(true))
	routes.Handle("GET /{id}/phone_numbers", s.answer(s.getNumbers))
	routes.Handle("GET /{id}/message_templates", s.answer(s.getTemplates))
	routes.Handle("GET /{id}/subscribed_apps", s.answer(s.getSubscriptions))
	routes.Handle("GET /{id}/compare", s.answer(s.getComparison))
	routes.Handle("GET /{id}", s.answer(s.getNode))
	routes.Handle("/", s.answer(func(r *http.Request) (any, *graphError) {
		return nil, &graphError{code: 2500, message: "Unknown path components: " + r.URL.Path}
	}))
	control := s.control()
	return watchArrivals(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case isSMS(r.URL.Path):
			s.postSMS(w, r)
		case !ok || token != s.token.Reveal():
			(&graphError{status: http.StatusUnauthorized, code: 190, message: "Invalid OAuth access token - Cannot parse access token"}).write(w)
		case steers(r.URL.Path):
			control.ServeHTTP(w, r)
		default:
			routes.ServeHTTP(w, unversioned(r))
		}
	}))
}

// unversioned is a request without the version that its path may begin with.
func unversioned(r *http.Request) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v")
	version, path, more := strings.Cut(rest, "/")
	if !ok || !more || strings.Trim(version, "0123456789") != "." {
		return r
	}
	out := *r
	u := *r.URL
	u.Path, u.RawPath = "/"+path, ""
	out.URL = &u
	return &out
}

// answer turns a function that reads into a handler that writes JSON, as the
// faults let it.
func (s *Sandbox) answer(f func(*http.Request) (any, *graphError)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strikes := s.faults.onRead()
		value, problem := f(r)
		if strikes.end != nil {
			if refusal := strikes.end.refusal(); refusal != nil {
				problem = refusal
			}
		}
		s.reply(w, r, strikes, value, problem)
	})
}

const jsonType = "application/json; charset=UTF-8"

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a caller that went away needs no answer
}

func (s *Sandbox) getNumbers(r *http.Request) (any, *graphError) {
	if id := r.PathValue("id"); id != AccountID {
		return nil, noSuchNode(id)
	}
	if problem := s.mayAsk(r.URL.Query().Get("fields")); problem != nil {
		return nil, problem
	}
	var nodes []node
	for _, n := range s.account.numbers {
		nodes = append(nodes, s.numberNode(n))
	}
	return page(r, nodes, numberFields)
}

func (s *Sandbox) getTemplates(r *http.Request) (any, *graphError) {
	if id := r.PathValue("id"); id != AccountID {
		return nil, noSuchNode(id)
	}
	q := r.URL.Query()
	var nodes []node
	for _, t := range s.account.templates {
		n := s.templateNode(t)
		if wanted(q.Get("name"), t.Name) && wanted(q.Get("status"), n["status"]) {
			nodes = append(nodes, n)
		}
	}
	return page(r, nodes, templateFields)
}

func wanted(filter string, value any) bool { return filter == "" || filter == value }

func (s *Sandbox) getNode(r *http.Request) (any, *graphError) {
	id, asked := r.PathValue("id"), r.URL.Query().Get("fields")
	if problem := s.mayAsk(asked); problem != nil && s.account.number(id) != nil {
		return nil, problem
	}
	if id == AccountID {
		return s.accountNode().only(asked, []string{"id", "name", "timezone_id"})
	}
	if n := s.account.number(id); n != nil {
		return s.numberNode(n).only(asked, numberFields)
	}
	for _, t := range s.account.templates {
		if id == strconv.FormatInt(t.ID, 10) {
			return s.templateNode(t).only(asked, templateFields)
		}
	}
	return nil, noSuchNode(id)
}

// mayAsk refuses a read of numbers that asks for a field which the token may not
// see: all of it, as at Meta (whatsapp.md §3.4).
func (s *Sandbox) mayAsk(fields string) *graphError {
	for _, f := range strings.Split(fields, ",") {
		if slices.Contains(s.opts.Denied, f) {
			return &graphError{code: 10, message: "Application does not have permission for this action"}
		}
	}
	return nil
}

// page cuts a list as limit and after ask; a cursor is simply a position. The
// address of the next page holds the token, as Meta's does: whoever logs it gives
// the token away.
func page(r *http.Request, nodes []node, fields []string) (any, *graphError) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		limit = 25
	}
	begin, err := strconv.Atoi(q.Get("after"))
	if err != nil {
		begin = 0
	}
	begin = min(max(begin, 0), len(nodes))
	end := min(begin+limit, len(nodes))
	data := []node{}
	for _, n := range nodes[begin:end] {
		part, problem := n.only(q.Get("fields"), fields)
		if problem != nil {
			return nil, problem
		}
		data = append(data, part)
	}
	paging := map[string]any{"cursors": map[string]string{"before": strconv.Itoa(begin), "after": strconv.Itoa(end)}}
	if end < len(nodes) {
		q.Set("after", strconv.Itoa(end))
		q.Set("access_token", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		path, _, _ := strings.Cut(r.RequestURI, "?")
		paging["next"] = "http://" + r.Host + path + "?" + q.Encode()
	}
	return map[string]any{"data": data, "paging": paging}, nil
}

// node is an object of the Graph API with all its fields.
type node map[string]any

// only keeps the id and the fields that were asked for, else the given ones. A
// field that such nodes do not have fails the whole request, as at Meta; one
// that is nil is left out.
func (n node) only(asked string, otherwise []string) (node, *graphError) {
	fields := otherwise
	if asked != "" {
		fields = strings.Split(asked, ",")
	}
	out := node{"id": n["id"]}
	for _, f := range fields {
		v, ok := n[f]
		if !ok {
			return nil, &graphError{code: 100, message: "Tried accessing nonexisting field (" + f + ")"}
		}
		if v != nil {
			out[f] = v
		}
	}
	return out, nil
}

// Fields that are given when none are asked for.
var (
	numberFields   = []string{"verified_name", "display_phone_number", "quality_rating", "code_verification_status", "platform_type", "throughput"}
	templateFields = []string{"name", "language", "status", "category", "parameter_format", "components"}
)

func (s *Sandbox) accountNode() node {
	return node{
		"id": AccountID, "name": "Autumn Shop", "timezone_id": "1", "currency": "EUR",
		"whatsapp_business_manager_messaging_limit": "TIER_100K",
		"health_status": s.healthOf(),
	}
}

func (s *Sandbox) numberNode(n *number) node {
	is, level := s.account.numberNow(n), "STANDARD"
	if s.opts.Throughput >= highThroughput {
		level = "HIGH"
	}
	return node{
		"id": is.ID, "display_phone_number": "+" + n.calling + " " + strings.TrimPrefix(is.Display, n.calling),
		"verified_name": n.verifiedName, "name_status": "APPROVED", "code_verification_status": "VERIFIED",
		"quality_rating": is.Quality, "quality_score": map[string]any{"score": is.Quality}, "status": is.Status,
		"messaging_limit_tier": is.Limit, "whatsapp_business_manager_messaging_limit": is.Limit,
		"throughput": map[string]string{"level": level}, "platform_type": "CLOUD_API", "account_mode": "LIVE",
		"is_official_business_account": false, "is_on_biz_app": false,
		"health_status": s.healthOfNumber(is),
	}
}

func (s *Sandbox) templateNode(t *template) node {
	is := s.account.templateNow(t)
	score := map[string]any{"score": is.Quality}
	if is.Since != 0 {
		score["date"] = is.Since.Second()
	}
	format, rejected := "POSITIONAL", t.rejected
	if t.named {
		format = "NAMED"
	}
	if rejected == "" {
		rejected = "NONE"
	}
	return node{
		"id": strconv.FormatInt(is.ID, 10), "name": is.Name, "language": is.Language, "status": is.Status, "category": is.Category,
		"quality_score": score, "rejected_reason": rejected, "parameter_format": format, "components": t.components(),
		"sub_category": nil, "previous_category": nil, "message_send_ttl_seconds": nil,
		"health_status": s.healthOfTemplate(is),
	}
}

// getSubscriptions names the app that gets the account's webhooks.
func (s *Sandbox) getSubscriptions(r *http.Request) (any, *graphError) {
	if id := r.PathValue("id"); id != AccountID {
		return nil, noSuchNode(id)
	}
	app := map[string]string{"id": appID, "name": "tickwatch", "link": "https://www.facebook.com/games/?app_id=" + appID}
	return map[string]any{"data": []any{map[string]any{"whatsapp_business_api_data": app}}}, nil
}
