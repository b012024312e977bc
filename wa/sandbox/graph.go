package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// graph serves the part of the Graph API that tickwatch and its neighbours use
// (whatsapp.md §3). Paths may begin with a version or not, as at Meta.
func (s *Sandbox) graph() http.Handler {
	routes := http.NewServeMux()
	routes.Handle("POST /{id}/messages", answer(s.postMessage))
	routes.Handle("GET /{id}/phone_numbers", answer(s.getNumbers))
	routes.Handle("GET /{id}/message_templates", answer(s.getTemplates))
	routes.Handle("GET /{id}", answer(s.getNode))
	routes.Handle("/", answer(func(r *http.Request) (any, *graphError) {
		return nil, &graphError{code: 2500, message: "Unknown path components: " + r.URL.Path}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || token != s.token.Reveal() {
			(&graphError{status: http.StatusUnauthorized, code: 190, message: "Invalid OAuth access token - Cannot parse access token"}).write(w)
			return
		}
		if rest := version.ReplaceAllString(r.URL.Path, "/"); rest != r.URL.Path {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = rest, ""
		}
		routes.ServeHTTP(w, r)
	})
}

var version = regexp.MustCompile(`^/v\d+\.\d+/`)

// answer turns a function into a handler that writes JSON.
func answer(f func(*http.Request) (any, *graphError)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, problem := f(r)
		if problem != nil {
			problem.write(w)
			return
		}
		writeJSON(w, http.StatusOK, value)
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a caller that went away needs no answer
}

// graphError is an error as the Graph API words it (whatsapp.md §3.3).
type graphError struct {
	status  int // 0 means 400
	code    int
	subcode int
	message string
	details string
}

func (e *graphError) write(w http.ResponseWriter) {
	body := map[string]any{
		"message":    fmt.Sprintf("(#%d) %s", e.code, e.message),
		"type":       "OAuthException",
		"code":       e.code,
		"fbtrace_id": "Astandinformeta0000000A",
	}
	if e.subcode != 0 {
		body["error_subcode"], body["type"] = e.subcode, "GraphMethodException"
	}
	if e.details != "" {
		body["error_data"] = map[string]string{"messaging_product": "whatsapp", "details": e.details}
	}
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, map[string]any{"error": body})
}

func noSuchNode(id string) *graphError {
	return &graphError{code: 100, subcode: 33, message: "Unsupported request. Object with ID '" + id +
		"' does not exist, cannot be loaded due to missing permissions, or does not support this operation"}
}

func (s *Sandbox) getNumbers(r *http.Request) (any, *graphError) {
	if id := r.PathValue("id"); id != AccountID {
		return nil, noSuchNode(id)
	}
	var nodes []node
	for _, n := range s.account.numbers {
		nodes = append(nodes, s.account.numberNode(n))
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
		n := s.account.templateNode(t)
		if wanted(q.Get("name"), t.Name) && wanted(q.Get("status"), n["status"]) {
			nodes = append(nodes, n)
		}
	}
	return page(r, nodes, templateFields)
}

func wanted(filter string, value any) bool { return filter == "" || filter == value }

func (s *Sandbox) getNode(r *http.Request) (any, *graphError) {
	id, asked := r.PathValue("id"), r.URL.Query().Get("fields")
	if id == AccountID {
		return accountNode().only(asked, []string{"id", "name", "timezone_id"})
	}
	if n := s.account.number(id); n != nil {
		return s.account.numberNode(n).only(asked, numberFields)
	}
	for _, t := range s.account.templates {
		if id == strconv.FormatInt(t.ID, 10) {
			return s.account.templateNode(t).only(asked, templateFields)
		}
	}
	return nil, noSuchNode(id)
}

// page cuts a list as limit and after ask; a cursor is simply a position.
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
		next := r.URL.Query()
		next.Set("after", strconv.Itoa(end))
		paging["next"] = "http://" + r.Host + r.URL.Path + "?" + next.Encode()
	}
	return map[string]any{"data": data, "paging": paging}, nil
}

// node is an object of the Graph API with all its fields.
type node map[string]any

// only keeps the id and the fields that were asked for, else the given ones. A
// field that the node does not have fails the whole request, as at Meta.
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
		out[f] = v
	}
	return out, nil
}

// Fields that are given when none are asked for.
var (
	numberFields   = []string{"verified_name", "display_phone_number", "quality_rating", "code_verification_status", "platform_type", "throughput"}
	templateFields = []string{"name", "language", "status", "category", "parameter_format", "components"}
)

func accountNode() node {
	return node{
		"id": AccountID, "name": "Autumn Shop", "timezone_id": "1", "currency": "EUR",
		"whatsapp_business_manager_messaging_limit": "TIER_100K",
		"health_status": health("WABA", AccountID, canSend),
	}
}

func (a *account) numberNode(n *number) node {
	a.mu.Lock()
	defer a.mu.Unlock()
	return node{
		"id": n.ID, "display_phone_number": "+" + n.calling + " " + strings.TrimPrefix(n.Display, n.calling),
		"verified_name": n.verifiedName, "name_status": "APPROVED", "code_verification_status": "VERIFIED",
		"quality_rating": n.Quality, "quality_score": map[string]any{"score": n.Quality}, "status": n.Status,
		"messaging_limit_tier": n.Limit, "whatsapp_business_manager_messaging_limit": n.Limit,
		"throughput": map[string]string{"level": "STANDARD"}, "platform_type": "CLOUD_API", "account_mode": "LIVE",
		"is_official_business_account": false, "is_on_biz_app": false,
		"health_status": health("PHONE_NUMBER", n.ID, canSend),
	}
}

func (a *account) templateNode(t *template) node {
	a.mu.Lock()
	defer a.mu.Unlock()
	components := []map[string]any{{"type": "BODY", "text": t.body}}
	if t.marketing {
		components = slices.Insert(components, 0, map[string]any{"type": "HEADER", "format": "IMAGE"})
		components = append(components, map[string]any{"type": "BUTTONS", "buttons": []map[string]string{{"type": "QUICK_REPLY", "text": stopButton}}})
	}
	id, can := strconv.FormatInt(t.ID, 10), canSend
	if t.Status == statusPaused || t.Status == statusDisabled {
		can = cannotSend
	}
	score := map[string]any{"score": t.Quality}
	if t.Since != 0 {
		score["date"] = t.Since.Second()
	}
	return node{
		"id": id, "name": t.Name, "language": t.Language, "status": t.Status, "category": t.Category,
		"quality_score": score, "rejected_reason": "NONE", "parameter_format": "POSITIONAL", "components": components,
		"health_status": health("MESSAGE_TEMPLATE", id, can),
	}
}

// Whether what is asked about can take part in a send (whatsapp.md §3.7).
const (
	canSend    = "AVAILABLE"
	cannotSend = "BLOCKED"
)

func health(kind, id, can string) map[string]any {
	return map[string]any{
		"can_send_message": can,
		"entities":         []map[string]any{{"entity_type": kind, "id": id, "can_send_message": can}},
	}
}
