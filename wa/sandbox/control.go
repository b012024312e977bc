package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"tickwatch/wa"
)

// control serves what Meta does not have: how another process steers the
// stand-in and reads its journal. The token is that of the Graph API, and no
// fault strikes here.
//
//	POST   /_stand_in/faults         a Fault in, {"id":1} out
//	GET    /_stand_in/faults         those in force, and how often each struck
//	DELETE /_stand_in/faults         ends all
//	DELETE /_stand_in/faults/1       ends one
//	POST   /_stand_in/templates/autumn_offer/pt_PT   {"status":"PAUSED","quality":"RED"}
//	POST   /_stand_in/numbers/500100200300400        {"status":"FLAGGED","quality":"RED"}
//	GET    /_stand_in/accepted?after=9               messages from the tenth on, a line each
//	GET    /_stand_in/requests                       requests to send, a line each
//	GET    /_stand_in/sms?after=9                    text messages that were taken, a line each
//	POST   /_stand_in/sms/replies                    {"from":"+351…","text":"STOP"}
func (s *Sandbox) control() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("POST /_stand_in/faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		if !told(w, r, &f) {
			return
		}
		id, err := s.Inject(f)
		acknowledge(w, map[string]int{"id": id}, err)
	})
	routes.HandleFunc("GET /_stand_in/faults", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.Faults())
	})
	routes.HandleFunc("DELETE /_stand_in/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.Clear()
		acknowledge(w, done, nil)
	})
	routes.HandleFunc("DELETE /_stand_in/faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err == nil {
			s.Clear(id)
		}
		acknowledge(w, done, err)
	})
	var standing struct {
		Status  string     `json:"status"`
		Quality wa.Quality `json:"quality"`
	}
	routes.HandleFunc("POST /_stand_in/templates/{name}/{language}", func(w http.ResponseWriter, r *http.Request) {
		to := standing
		if told(w, r, &to) {
			acknowledge(w, done, s.SetTemplate(r.PathValue("name"), r.PathValue("language"), to.Status, to.Quality))
		}
	})
	routes.HandleFunc("POST /_stand_in/numbers/{id}", func(w http.ResponseWriter, r *http.Request) {
		to := standing
		if told(w, r, &to) {
			acknowledge(w, done, s.SetNumber(r.PathValue("id"), to.Status, to.Quality))
		}
	})
	routes.HandleFunc("GET /_stand_in/accepted", func(w http.ResponseWriter, r *http.Request) {
		writeLines(w, r, s.Accepted())
	})
	routes.HandleFunc("GET /_stand_in/requests", func(w http.ResponseWriter, r *http.Request) {
		writeLines(w, r, s.Requests())
	})
	routes.HandleFunc("GET /_stand_in/sms", func(w http.ResponseWriter, r *http.Request) {
		writeLines(w, r, s.AcceptedSMS())
	})
	routes.HandleFunc("POST /_stand_in/sms/replies", func(w http.ResponseWriter, r *http.Request) {
		var said struct{ From, Text string }
		if told(w, r, &said) {
			s.WriteSMS(said.From, said.Text)
			acknowledge(w, done, nil)
		}
	})
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusNotFound, problem{"sandbox: nothing is steered by " + r.Method + " " + r.URL.Path})
	})
	return routes
}

// problem says why nothing was steered.
type problem struct {
	Problem string `json:"problem"`
}

var done = map[string]bool{"success": true}

// told reads what a steering request says; false when it was answered that it
// says nothing that can be read.
func told(w http.ResponseWriter, r *http.Request, to any) bool {
	read := json.NewDecoder(io.LimitReader(r.Body, maxSend))
	read.DisallowUnknownFields()
	if err := read.Decode(to); err != nil {
		acknowledge(w, nil, fmt.Errorf("sandbox: %w", err))
		return false
	}
	return true
}

func acknowledge(w http.ResponseWriter, value any, err error) {
	if err != nil {
		writeJSON(w, http.StatusBadRequest, problem{err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, value)
}

// writeLines writes a list, from the number that after names on, one JSON
// object a line.
func writeLines[T any](w http.ResponseWriter, r *http.Request, all []T) {
	after, err := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil {
		after = 0
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	for _, v := range all[min(max(after, 0), len(all)):] {
		if lines.Encode(v) != nil {
			return // the caller went away
		}
	}
}

// steers tells whether a path is one of control's.
func steers(path string) bool { return strings.HasPrefix(path, "/_stand_in/") }
