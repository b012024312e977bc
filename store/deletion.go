package store

import (
	"bytes"
	"encoding/json"

	"tickwatch/wa"
)

// gone is the type of an inbound message that its sender deleted.
const gone = "deleted"

// What the notice of a deleted message's row says instead of a sequence number.
const (
	unheard = 0  // the deletion came before the message
	heard   = -1 // whether it opts out has been looked at
)

// deletion removes what was stored of a message that its sender deleted: who
// wrote it, what it answered, and its text in the raw body that brought it. That
// they opted out by it stays, with the body that proves it: to be left alone is
// a wish, not a message. A deletion that overtakes its message leaves a mark.
func (g *group) deletion(raw int64, received wa.Instant, d *wa.Deletion) error {
	at := wa.Believe(d.At, received)
	var kind, step string
	var notice, body, who, campaign int64
	var wrote wa.Instant
	var optsOut bool
	err := g.conn.QueryRowContext(g.ctx, `SELECT i.type, i.step, i.at, i.person, i.campaign, i.notice, coalesce(n.raw, 0), coalesce(json_extract(n.body, '$.OptsOut'), 0)
		FROM inbound i LEFT JOIN notice n ON n.seq = i.notice WHERE i.wamid = ?`, d.MessageID).Scan(&kind, &step, &wrote, &who, &campaign, &notice, &body, &optsOut)
	if err != nil && !missing(err) {
		return err
	}
	mark := unheard
	switch {
	case kind == gone:
		g.feed.Duplicates++
		return nil
	case kind != "":
		mark = heard
		if _, err := g.conn.ExecContext(g.ctx, "UPDATE notice SET body = '{}' WHERE seq = ?", notice); err != nil {
			return err
		}
		if !optsOut {
			g.strike(body, d.MessageID)
		}
		if step != "" {
			g.countInbound(campaign, wrote, -1)
		}
		g.rejudge(who)
	}
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO inbound (wamid, at, person, number, campaign, type, notice) VALUES (?, ?, 0, 0, 0, ?, ?)", d.MessageID, int64(at), gone, mark); err != nil {
		return err
	}
	return g.notice(raw, gone, at, struct{ MessageID string }{d.MessageID})
}

// deletedBefore deals with a message that is known already: where that is
// because it was deleted before it came, it tells, once, whether it opts out.
func (g *group) deletedBefore(raw int64, m *wa.InboundMessage, optsOut bool) (wish bool, err error) {
	var mark int64
	err = g.conn.QueryRowContext(g.ctx, "SELECT notice FROM inbound WHERE wamid = ? AND type = ?", m.MessageID, gone).Scan(&mark)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !optsOut {
		g.strike(raw, m.MessageID)
		return false, nil
	}
	_, err = g.conn.ExecContext(g.ctx, "UPDATE inbound SET notice = ? WHERE wamid = ?", heard, m.MessageID)
	return mark == unheard, err
}

// strike notes a message to be taken out of a stored raw body.
func (g *group) strike(raw int64, wamid string) {
	if g.struck[raw] == nil {
		g.struck[raw] = map[string]bool{}
	}
	g.struck[raw][wamid] = true
}

// strikeAll rewrites, each once, the raw bodies that hold deleted messages; what
// came with those stays. A body that is not kept any more is none.
func (g *group) strikeAll() error {
	for raw, wamids := range g.struck {
		segment, err := readSegment(g.ctx, g.conn, raw)
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		at := raw - segment.posts[0].ID
		if at >= int64(len(segment.posts)) {
			continue
		}
		post := &segment.posts[at]
		body := without(post.Body, wamids)
		if body == nil {
			continue
		}
		post.Body = body
		if err := g.rewriteSegment(&segment); err != nil {
			return err
		}
	}
	return nil
}

// rewriteSegment stores a row of raw bodies in place of what it was.
func (g *group) rewriteSegment(s *segment) error {
	var p packer
	for _, r := range s.posts {
		p.add(&wa.Post{Source: r.Source, ReceivedAt: r.ReceivedAt, Body: r.Body})
	}
	for _, d := range s.decisions {
		p.decide(d)
	}
	_, err := g.conn.ExecContext(g.ctx, "UPDATE raw SET source = '', body = ?, posts = ? WHERE id = ?", p.pack(), len(s.posts), s.posts[0].ID)
	return err
}

// without is a body of Meta's in which nothing but id and time is left of some
// messages; nil when none of them is in it.
func without(body []byte, wamids map[string]bool) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // template ids exceed 2^53
	var v any
	if d.Decode(&v) != nil || !strikeIn(v, wamids) {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}

// strikeIn looks for messages wherever a list of that name is.
func strikeIn(v any, wamids map[string]bool) (found bool) {
	switch v := v.(type) {
	case []any:
		for _, v := range v {
			found = strikeIn(v, wamids) || found
		}
	case map[string]any:
		list, _ := v["messages"].([]any)
		for i := range list {
			m, _ := list[i].(map[string]any)
			if id, _ := m["id"].(string); wamids[id] {
				left := map[string]any{"id": id, "type": gone}
				if at, ok := m["timestamp"]; ok {
					left["timestamp"] = at
				}
				list[i], found = left, true
			}
		}
		for _, v := range v {
			found = strikeIn(v, wamids) || found
		}
	}
	return found
}
