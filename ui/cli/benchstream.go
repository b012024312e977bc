package cli

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	mathrand "math/rand/v2"
	"syscall"
	"time"

	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// The make-up of the stream: what share of the statuses is of new messages, and
// what share is a late read of any message. The others are news of recent ones,
// whose distance from the newest is exponential.
const (
	benchNew      = 0.36
	benchLate     = 0.07
	benchDistance = 20_000 // messages, mean
	benchPerSec   = 1000   // messages that a second of the stream's own time sends
	benchPostHead = 320    // bytes of a request above its statuses, at most
	benchStatus   = 640    // bytes of a status, at most
)

// benchStage is how far a message of the stream has come.
type benchStage uint8

const (
	benchSent benchStage = iota
	benchDelivered
	benchOver // read or failed
)

// benchStream makes up what Meta reports of campaigns: every message goes to
// another person, in no order of numbers. Another system's callback data names
// the campaign and a row that is not ours; that of our own campaigns carries the
// id under which a store knows the message. Two streams of the same seed are the
// same.
type benchStream struct {
	store  string // its name, for our own campaigns; "" = another system sends
	rand   *mathrand.Rand
	start  int64 // Unix seconds of the first message
	stages []benchStage
	signer hash.Hash
	body   []byte
}

// newBenchStream begins a stream: another system's, or that of a store's own campaigns.
func newBenchStream(secret wa.Secret, start time.Time, store string) *benchStream {
	return &benchStream{
		store: store,
		rand:  mathrand.New(mathrand.NewPCG(1, 2)), start: start.Unix(),
		signer: hmac.New(sha256.New, []byte(secret.Reveal())),
	}
}

// benchSecret is a new secret for one run.
func benchSecret() wa.Secret { return wa.NewSecret(rand.Text()) }

// status appends one status as Meta writes it.
func (s *benchStream) status(b []byte) []byte {
	switch p := s.rand.Float64(); {
	case p < benchNew || len(s.stages) == 0:
		s.stages = append(s.stages, benchSent)
		return s.write(b, len(s.stages)-1, "sent")
	case p < 1-benchLate:
		return s.news(b, func() int {
			id := len(s.stages) - 1 - int(s.rand.ExpFloat64()*benchDistance)
			if id < 0 {
				id = s.rand.IntN(len(s.stages))
			}
			return id
		})
	default:
		return s.news(b, func() int { return s.rand.IntN(len(s.stages)) })
	}
}

// news appends what happens next to a message; a few find none that is still on
// its way, and tell the last one's end again.
func (s *benchStream) news(b []byte, pick func() int) []byte {
	id := pick()
	for tries := 0; s.stages[id] == benchOver && tries < 8; tries++ {
		id = pick()
	}
	switch {
	case s.stages[id] != benchSent:
		s.stages[id] = benchOver
		return s.write(b, id, "read")
	case s.rand.IntN(25) == 0:
		s.stages[id] = benchOver
		return s.write(b, id, "failed")
	default:
		s.stages[id] = benchDelivered
		return s.write(b, id, "delivered")
	}
}

var benchErrors = [...]string{
	`{"code":131049,"title":"This message was not delivered to maintain healthy ecosystem engagement.","message":"This message was not delivered to maintain healthy ecosystem engagement.","error_data":{"details":"In order to maintain a healthy ecosystem engagement, the message failed to be delivered."}}`,
	`{"code":131026,"title":"Message undeliverable","message":"Message undeliverable","error_data":{"details":"Message Undeliverable."}}`,
}

func (s *benchStream) write(b []byte, message int, status string) []byte {
	id := uint64(message) //nolint:gosec // an index
	who := benchPerson(id)
	b = fmt.Appendf(b, `{"id":"%s","status":"%s","timestamp":"%d","recipient_id":"%s","recipient_user_id":"%s","biz_opaque_callback_data":"`,
		benchWAMID(id), status, s.start+int64(len(s.stages)/benchPerSec), who.Phone, who.BSUID)
	if s.store != "" {
		b = append(b, wa.OwnData(s.campaign(id), s.store, int64(message)+1)...)
	} else {
		b = fmt.Appendf(b, "%s:%d", s.campaign(id), id)
	}
	b = append(b, `",`...)
	if status == "failed" {
		return append(append(append(b, `"errors":[`...), benchErrors[s.rand.IntN(len(benchErrors))]...), "]}"...)
	}
	return append(b, `"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}}`...)
}

// campaign is the one that a message belongs to. Our own are sent one after the
// other, in blocks.
func (s *benchStream) campaign(id uint64) string {
	if s.store != "" {
		id /= benchBlock
	}
	return fmt.Sprintf("autumn-%d", id%7)
}

// benchBlock is how many messages of ours are handed over at once.
const benchBlock = 2000

func benchWAMID(id uint64) string {
	return fmt.Sprintf("wamid.HBgMMzUxOQ%016XFQIAERgS%016XAA==", scatter(id), scatter(^id))
}

func benchPerson(id uint64) wa.Person {
	return wa.Person{Phone: fmt.Sprintf("351%09d", id*387_420_489%1_000_000_000), BSUID: fmt.Sprintf("PT.%020d", id*2_862_933_555_777_941_757)}
}

// benchSender is the business number of the stream.
var benchSender = wa.Sender{AccountID: "102290129340398", NumberID: "106540352242922", Display: "351210000000"}

// handOver stores the stream's messages from one on as ours, before anything is
// reported of them.
func (s *benchStream) handOver(ctx context.Context, to *store.Store, from int) error {
	at := wa.Instant(s.start * 1000)
	for from < len(s.stages) {
		var block []store.Handover
		campaign := s.campaign(uint64(from))                                         //nolint:gosec // an index
		for ; from < len(s.stages) && s.campaign(uint64(from)) == campaign; from++ { //nolint:gosec // an index
			id := uint64(from) //nolint:gosec // an index
			block = append(block, store.Handover{Person: benchPerson(id), WAMID: benchWAMID(id), At: at})
		}
		first, err := to.HandOver(ctx, campaign, benchSender, block)
		if err != nil {
			return err
		}
		if last := first + int64(len(block)) - 1; last != int64(from) {
			return fmt.Errorf("the store knows message %d by the id %d", from, last)
		}
	}
	return nil
}

// scatter gives every id another number that looks like chance, as wamids do
// (the finalizer of splitmix64).
func scatter(id uint64) uint64 {
	id += 0x9e3779b97f4a7c15
	id = (id ^ id>>30) * 0xbf58476d1ce4e5b9
	id = (id ^ id>>27) * 0x94d049bb133111eb
	return id ^ id>>31
}

// post appends a whole request, signed, with n statuses.
func (s *benchStream) post(b []byte, n int) []byte {
	s.body = append(s.body[:0], `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages",`+
		`"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"351210000000","phone_number_id":"106540352242922"},"statuses":[`...)
	for i := range n {
		if i > 0 {
			s.body = append(s.body, ',')
		}
		s.body = s.status(s.body)
	}
	s.body = append(s.body, `]}}]}]}`...)
	s.signer.Reset()
	s.signer.Write(s.body)
	b = fmt.Appendf(b, "POST /webhooks/meta HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s: sha256=%x\r\n\r\n",
		len(s.body), webhook.SignatureHeader, s.signer.Sum(nil))
	return append(b, s.body...)
}

// benchPosts are requests ready to be sent. They lie outside the Go heap: inside,
// they would make garbage collection rarer than it is in a daemon.
type benchPosts struct {
	memory []byte
	ends   []int // where each request ends
	n      int   // statuses in each
}

// posts makes up the next requests. The caller frees them.
func (s *benchStream) posts(count, n int) (*benchPosts, error) {
	room := count * (2*benchPostHead + n*benchStatus)
	memory, err := syscall.Mmap(-1, 0, room, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("making room for %d requests: %w; measure with fewer --seconds", count, err)
	}
	p := &benchPosts{memory: memory, ends: make([]int, 0, count), n: n}
	at := memory[:0]
	for range count {
		at = s.post(at, n)
		p.ends = append(p.ends, len(at))
	}
	return p, nil
}

// request is one of the requests, which the caller may only read.
func (p *benchPosts) request(i int) []byte {
	start := 0
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.memory[start:p.ends[i]]
}

func (p *benchPosts) len() int { return len(p.ends) }

// bytes is how much memory the requests hold.
func (p *benchPosts) bytes() int {
	if len(p.ends) == 0 {
		return 0
	}
	return p.ends[len(p.ends)-1]
}

func (p *benchPosts) free() { _ = syscall.Munmap(p.memory) }
