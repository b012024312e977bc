package sandbox

import (
	"fmt"
	"net/http"
	"testing"
)

// Two templates that were sent often enough are put in an order, and no rate is told.
func TestCompare(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1}, newReceiver(t, nil))
	one, other := s.account.templates[0], s.templateWithID("")
	for _, tpl := range s.account.templates {
		if tpl.Name == SpareTemplate {
			other = tpl
		}
	}
	path := fmt.Sprintf("/%d/compare?template_ids=[%d]", one.ID, other.ID)
	if status, _ := call(t, s, http.MethodGet, path, ""); status != 400 {
		t.Errorf("a template that was never sent: %d", status)
	}
	one.past = past{sends: 2000, blocks: 5, reason: "SPAM"}
	_, answer := call(t, s, http.MethodGet, path, "")
	data := answer["data"].([]any)
	order := data[0].(map[string]any)["order_by_relative_metric"].([]any)
	if len(data) != 3 || order[0] != fmt.Sprint(other.ID) || order[1] != fmt.Sprint(one.ID) {
		t.Errorf("%v", answer)
	}
}

// A field that the token may not ask for costs the whole answer.
func TestADeniedField(t *testing.T) {
	s, _ := start(t, Options{Speed: 1, Messages: -1, Denied: []string{"throughput"}}, newReceiver(t, nil))
	for fields, want := range map[string]int{"id,status": 200, "id,throughput": 400} {
		for _, path := range []string{"/" + AccountID + "/phone_numbers", "/" + numberIDs[0]} {
			if status, answer := call(t, s, http.MethodGet, path+"?fields="+fields, ""); status != want {
				t.Errorf("%s of %s: %d %v", fields, path, status, answer)
			}
		}
	}
}
