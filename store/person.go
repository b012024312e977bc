package store

import (
	"database/sql"
	"errors"

	"tickwatch/wa"
)

// person is someone as the writer knows them; the zero person is nobody. A
// person of whom a status tells for the first time gets a row when the message does.
type person struct {
	id           int64
	phone, bsuid string
	stored       bool // has a row
}

// people are those who have no row yet.
type people struct {
	byID    map[int64]person
	byPhone map[string]int64
	byBSUID map[string]int64
}

func newPeople() people {
	return people{map[int64]person{}, map[string]int64{}, map[string]int64{}}
}

func (all *people) put(p person) {
	all.drop(p.id)
	all.byID[p.id] = p
	if p.phone != "" {
		all.byPhone[p.phone] = p.id
	}
	if p.bsuid != "" {
		all.byBSUID[p.bsuid] = p.id
	}
}

func (all *people) drop(id int64) {
	p, ok := all.byID[id]
	if !ok {
		return
	}
	delete(all.byID, id)
	if all.byPhone[p.phone] == id {
		delete(all.byPhone, p.phone)
	}
	if all.byBSUID[p.bsuid] == id {
		delete(all.byBSUID, p.bsuid)
	}
}

// person finds or makes the person that a webhook names, as they were named at
// that moment; 0 when it names none. Two that turn out to be one become one.
func (g *group) person(p wa.Person, at wa.Instant) (int64, error) {
	if p.Phone == "" && p.BSUID == "" {
		return 0, nil
	}
	p, err := g.today(p, at)
	if err != nil {
		return 0, err
	}
	byPhone, err := g.personByPhone(p.Phone)
	if err != nil {
		return 0, err
	}
	byBSUID, err := g.personByBSUID(p.BSUID)
	if err != nil {
		return 0, err
	}
	switch {
	case byPhone.id == 0 && byBSUID.id == 0:
		// The decoder's strings may point into a body that is not ours to keep.
		made := person{id: take(&g.next.person), phone: string([]byte(p.Phone)), bsuid: string([]byte(p.BSUID))}
		g.people.put(made)
		return made.id, nil
	case byPhone.id != 0 && byBSUID.id != 0 && byPhone.id != byBSUID.id:
		if byPhone.bsuid == "" && byBSUID.phone == "" {
			return g.mergePersons(byPhone.id, byBSUID.id)
		}
		return byPhone.id, nil // each has another counterpart already: two histories, the number decides
	case byPhone.id == 0:
		return g.complete(byBSUID, p)
	}
	return g.complete(byPhone, p)
}

// personByPhone and personByBSUID find who has a name now; the zero person when nobody has.

func (g *group) personByPhone(phone string) (person, error) {
	return g.personByName(phone, g.people.byPhone, g.w.people.byPhone, func(p person) bool { return p.phone == phone })
}

func (g *group) personByBSUID(bsuid string) (person, error) {
	return g.personByName(bsuid, g.people.byBSUID, g.w.people.byBSUID, func(p person) bool { return p.bsuid == bsuid })
}

func (g *group) personByName(name string, here, waiting map[string]int64, is func(person) bool) (person, error) {
	if name == "" {
		return person{}, nil
	}
	if id, ok := here[name]; ok {
		return g.people.byID[id], nil
	}
	if id, ok := waiting[name]; ok {
		if p, err := g.personByRow(id); err != nil || is(p) {
			return p, err
		}
	}
	rows, err := g.w.indexes[indexName].find(g.ctx, g.w.stmts.readPage, hashOf(name))
	if err != nil {
		return person{}, err
	}
	for _, id := range rows {
		if p, err := g.personByRow(id); err != nil || is(p) {
			return p, err
		}
	}
	return person{}, nil
}

// personByRow gives a person as this group knows them; the zero person when
// there is none of that id.
func (g *group) personByRow(id int64) (person, error) {
	if p, ok := g.people.byID[id]; ok {
		return p, nil
	}
	if g.vanished[id] {
		return person{}, nil
	}
	if p, ok := g.w.people.byID[id]; ok {
		return p, nil
	}
	p := person{id: id, stored: true}
	err := g.w.stmts.personByID.QueryRowContext(g.ctx, id).Scan(&p.phone, &p.bsuid)
	if errors.Is(err, sql.ErrNoRows) {
		return person{}, nil
	}
	return p, err
}

// complete fills the name of a person that was not known yet.
func (g *group) complete(have person, p wa.Person) (int64, error) {
	named := have
	switch {
	case have.phone == "" && p.Phone != "":
		named.phone = string([]byte(p.Phone))
	case have.bsuid == "" && p.BSUID != "":
		named.bsuid = string([]byte(p.BSUID))
	default:
		return have.id, nil
	}
	return have.id, g.writeNames(named)
}

// storePerson sees to it that a person has a row, which other rows are about to name.
func (g *group) storePerson(id int64) error {
	if id == 0 {
		return nil
	}
	if p, ok := g.people.byID[id]; ok && p.stored {
		return nil
	}
	if _, ok := g.w.people.byID[id]; !ok && id <= g.w.nextID.person {
		return nil
	}
	p, err := g.personByRow(id)
	if err != nil || p.stored || p.id == 0 {
		return err
	}
	if _, err := g.w.stmts.insertPerson.ExecContext(g.ctx, p.id, p.phone, p.bsuid); err != nil {
		return err
	}
	for _, name := range [...]string{p.phone, p.bsuid} {
		if name != "" {
			g.index(indexName, hashOf(name), p.id)
		}
	}
	p.stored = true
	g.people.put(p)
	return nil
}

// writeNames gives a person other names. The row of one who has none yet follows.
func (g *group) writeNames(p person) error {
	before, err := g.personByRow(p.id)
	if err != nil {
		return err
	}
	p.stored = before.stored
	g.people.put(p)
	if !p.stored {
		return nil
	}
	if _, err := g.conn.ExecContext(g.ctx, "UPDATE person SET phone = ?, bsuid = ? WHERE id = ?", p.phone, p.bsuid, p.id); err != nil {
		return err
	}
	for _, name := range [...]string{p.phone, p.bsuid} {
		if name != "" && name != before.phone && name != before.bsuid {
			if err := g.indexLate(indexName, hashOf(name), p.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergePersons makes one person of two and gives the one that stays. Where both
// have a phone or both a BSUID they are two people after all, and the first stays.
func (g *group) mergePersons(a, b int64) (int64, error) {
	pa, err := g.personByRow(a)
	if err != nil {
		return 0, err
	}
	pb, err := g.personByRow(b)
	if err != nil {
		return 0, err
	}
	if (pa.phone != "" && pb.phone != "") || (pa.bsuid != "" && pb.bsuid != "") {
		return a, nil
	}
	return g.unite(a, b, person{phone: pa.phone + pb.phone, bsuid: pa.bsuid + pb.bsuid})
}

// unite makes one person of two, of the names given, and gives the id that stays.
func (g *group) unite(a, b int64, named person) (int64, error) {
	keep, drop := min(a, b), max(a, b)
	for _, id := range [...]int64{keep, drop} {
		if err := g.storePerson(id); err != nil {
			return 0, err
		}
	}
	if err := g.mergeOptOuts(keep, drop); err != nil {
		return 0, err
	}
	if err := g.giveMessages(keep, drop); err != nil {
		return 0, err
	}
	if err := g.uniteFallbacks(keep, drop); err != nil {
		return 0, err
	}
	for _, step := range []struct {
		text string
		args []any
	}{
		{"UPDATE inbound SET person = ? WHERE person = ?", []any{keep, drop}},
		{"UPDATE OR REPLACE echo SET person = ? WHERE person = ?", []any{keep, drop}},
		{"INSERT INTO released SELECT ?, rule, at FROM released WHERE person = ? ON CONFLICT DO UPDATE SET at = max(at, excluded.at)", []any{keep, drop}},
		{"DELETE FROM released WHERE person = ?", []any{drop}},
		{"UPDATE former_name SET person = ? WHERE person = ?", []any{keep, drop}},
		{"UPDATE person SET (opted_out, opted_at) = (SELECT opted_out, opted_at FROM person WHERE id IN (?, ?) ORDER BY opted_at DESC LIMIT 1) WHERE id = ?", []any{keep, drop, keep}},
		{"DELETE FROM person WHERE id = ?", []any{drop}},
	} {
		if _, err := g.conn.ExecContext(g.ctx, step.text, step.args...); err != nil {
			return 0, err
		}
	}
	for _, id := range [...]int64{keep, drop} {
		if g.lately(id) {
			g.wrote[keep] = max(g.wrote[keep], g.wrote[id], g.w.wrote[id])
			g.rejudge(keep)
		}
	}
	g.people.drop(drop)
	g.vanished[drop] = true
	g.renamed[drop] = keep
	g.homeless[drop] = 0
	named.id = keep
	return keep, g.writeNames(named)
}

// giveMessages gives one person's messages to another who is the same.
func (g *group) giveMessages(keep, drop int64) error {
	for _, id := range g.w.pending.byPerson[drop] {
		if _, err := g.byID(id); err != nil { // which makes it part of the group, where its person is known to be the other
			return err
		}
	}
	rows, err := g.messageRows(drop)
	if err != nil {
		return err
	}
	for _, id := range rows {
		done, err := g.conn.ExecContext(g.ctx, "UPDATE message SET person = ? WHERE id = ? AND person = ?", keep, id, drop)
		if err != nil {
			return err
		}
		if n, _ := done.RowsAffected(); n == 0 {
			continue
		}
		if err := g.indexLate(indexPerson, hashOfRow(keep), id); err != nil {
			return err
		}
	}
	g.byPerson[keep] = append(g.byPerson[keep], g.byPerson[drop]...)
	delete(g.byPerson, drop)
	return nil
}

// is follows the merges of people: who somebody turned out to be.
func (g *group) is(person int64) int64 {
	for {
		to, ok := g.renamed[person]
		if !ok {
			to, ok = g.w.renamed[person]
		}
		if !ok {
			return person
		}
		person = to
	}
}
