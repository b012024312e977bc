package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Accepted is one message that the Graph API took: a line of the log of
// Options.AcceptedLog.
type Accepted struct {
	At           time.Time `json:"time"`
	WAMID        string    `json:"wamid"`
	To           string    `json:"to"`   // E.164, with the plus
	From         string    `json:"from"` // phone_number_id
	Template     string    `json:"template"`
	Language     string    `json:"language"`
	CallbackData string    `json:"callback_data"`
}

// Request is one send that the Graph API was asked for, whatever came of it.
type Request struct {
	FirstByte    time.Time `json:"first_byte"` // when it was read, of the campaign's clock
	LastByte     time.Time `json:"last_byte"`
	From         string    `json:"from"` // phone_number_id
	To           string    `json:"to"`   // as it was given
	Template     string    `json:"template"`
	CallbackData string    `json:"callback_data"`
	WAMID        string    `json:"wamid,omitempty"` // "" when it was not accepted
	Code         int       `json:"code,omitempty"`  // error that was answered; 0 for none
}

// keepRequests bounds the requests that are kept.
const keepRequests = 100_000

// journal keeps what was asked and what was accepted, in memory and on disk. No
// webhook and no fault changes what stands in it.
type journal struct {
	file *os.File // nil for none

	mu       sync.Mutex // of everything below
	accepted []*Message // in order of acceptance; only what never changes of them is read
	requests []Request  // once full, the oldest is at oldest
	oldest   int
}

// openJournal opens the log of accepted messages, and makes it where there is none.
func openJournal(path string) (*journal, error) {
	if path == "" {
		return &journal{}, nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sandbox: the log of accepted messages cannot be opened: %w", err)
	}
	return &journal{file: file}, nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// accept enters a message. When it returns, the message's line has been given
// to the operating system, so that it outlives this process.
func (j *journal) accept(m *Message) error {
	var line []byte
	if j.file != nil {
		var err error
		if line, err = json.Marshal(m.accepted()); err != nil {
			return err
		}
		line = append(line, '\n')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if line != nil {
		if _, err := j.file.Write(line); err != nil {
			return fmt.Errorf("the log of accepted messages cannot be written: %w", err)
		}
	}
	j.accepted = append(j.accepted, m)
	return nil
}

func (m *Message) accepted() Accepted {
	return Accepted{
		At: m.AcceptedAt.Time(), WAMID: m.ID, To: "+" + m.Recipient, From: m.NumberID,
		Template: m.Template, Language: m.Language, CallbackData: m.CallbackData,
	}
}

// note enters a request.
func (j *journal) note(r Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.requests) < keepRequests {
		j.requests = append(j.requests, r)
		return
	}
	j.requests[j.oldest] = r
	j.oldest = (j.oldest + 1) % keepRequests
}

// Accepted lists the messages that the Graph API took, in that order. It is
// complete: a message stands in it before its answer leaves.
func (s *Sandbox) Accepted() []Accepted {
	s.journal.mu.Lock()
	messages := s.journal.accepted // grows at its end only
	s.journal.mu.Unlock()
	out := make([]Accepted, len(messages))
	for i, m := range messages {
		out[i] = m.accepted()
	}
	return out
}

// Requests lists the sends that the Graph API was asked for, refused and
// accepted, in the order in which they were judged; the latest 100,000.
func (s *Sandbox) Requests() []Request {
	j := s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Request, 0, len(j.requests))
	out = append(out, j.requests[j.oldest:]...)
	return append(out, j.requests[:j.oldest]...)
}
