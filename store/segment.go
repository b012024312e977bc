package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"tickwatch/wa"
)

// errSegment says that a stored segment is not what was written.
var errSegment = errors.New("a segment of raw bodies cannot be read")

// segment is a row of the table raw: the posts of one commit, and what was
// decided of messages, whose rows may lag.
type segment struct {
	posts     []RawPost
	decisions []decision
}

// last is the id of the last post.
func (s *segment) last() int64 { return s.posts[len(s.posts)-1].ID }

// decision is where a message belongs, which can depend on what had come before.
type decision struct {
	wamid                string
	id, campaign, number int64
}

// packer makes segments: posts, each as the lengths of its source and its body,
// the moment of its receipt in ms, source and body; and after them decisions, each
// as the length of the wamid, the wamid, id, campaign and number. All numbers
// are varints. The whole is compressed, for webhooks repeat themselves.
type packer struct{ plain, packed []byte }

// keepBuffer is up to which size a packer keeps its memory, in bytes.
const keepBuffer = 4 << 20

func (p *packer) add(post *wa.Post) {
	p.plain = binary.AppendUvarint(p.plain, uint64(len(post.Source)))
	p.plain = binary.AppendUvarint(p.plain, uint64(len(post.Body)))
	p.plain = binary.AppendVarint(p.plain, int64(post.ReceivedAt))
	p.plain = append(append(p.plain, post.Source...), post.Body...)
}

func (p *packer) decide(d decision) {
	p.plain = binary.AppendUvarint(p.plain, uint64(len(d.wamid)))
	p.plain = append(p.plain, d.wamid...)
	for _, n := range [...]int64{d.id, d.campaign, d.number} {
		p.plain = binary.AppendVarint(p.plain, n)
	}
}

// pack gives the segment, which holds until the next add.
func (p *packer) pack() []byte {
	if most := s2.MaxEncodedLen(len(p.plain)); cap(p.packed) < most {
		p.packed = make([]byte, most)
	}
	return s2.Encode(p.packed[:cap(p.packed)], p.plain)
}

func (p *packer) reset() {
	p.plain = p.plain[:0]
	if cap(p.plain) > keepBuffer {
		*p = packer{}
	}
}

// unpacker takes a segment apart. After a fault it gives zeros.
type unpacker struct {
	plain []byte
	err   error
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.plain)
	return u.took(n, size)
}

func (u *unpacker) length() int64 {
	n, size := binary.Uvarint(u.plain)
	return u.took(int64(min(n, 1<<62)), size)
}

func (u *unpacker) took(n int64, size int) int64 {
	if size <= 0 {
		u.plain, u.err = nil, errSegment
		return 0
	}
	u.plain = u.plain[size:]
	return n
}

func (u *unpacker) bytes(n int64) []byte {
	if n > int64(len(u.plain)) {
		u.plain, u.err = nil, errSegment
		return nil
	}
	b := u.plain[:n:n]
	u.plain = u.plain[n:]
	return b
}

// unpack gives what a row of the table raw holds.
func unpack(id int64, posts int, source string, receivedAt wa.Instant, body []byte) (segment, error) {
	if posts == 0 {
		return segment{posts: []RawPost{{id, source, receivedAt, body}}}, nil
	}
	plain, err := s2.Decode(nil, body)
	if err != nil {
		return segment{}, fmt.Errorf("%w: %w", errSegment, err)
	}
	u := unpacker{plain: plain}
	s := segment{posts: make([]RawPost, posts)}
	for i := range s.posts {
		sourceLen, bodyLen := u.length(), u.length()
		at := u.number()
		s.posts[i] = RawPost{
			ID: id + int64(i), ReceivedAt: wa.Instant(at),
			Source: string(u.bytes(sourceLen)), Body: u.bytes(bodyLen),
		}
	}
	for len(u.plain) > 0 {
		wamid := string(u.bytes(u.length()))
		s.decisions = append(s.decisions, decision{wamid: wamid, id: u.number(), campaign: u.number(), number: u.number()})
	}
	return s, u.err
}

const rawColumns = "id, posts, source, received_at, body"

func scanSegment(s scanner) (segment, error) {
	var id int64
	var posts int
	var source string
	var at wa.Instant
	var body []byte
	if err := s.Scan(&id, &posts, &source, &at, &body); err != nil {
		return segment{}, err
	}
	return unpack(id, posts, source, at, body)
}

// readSegment reads the row that holds a post, if it still does.
func readSegment(ctx context.Context, q querier, post int64) (segment, error) {
	return scanSegment(q.QueryRowContext(ctx, "SELECT "+rawColumns+" FROM raw WHERE id <= ? ORDER BY id DESC LIMIT 1", post))
}
