package store

import (
	"database/sql"
	"errors"

	"tickwatch/wa"
)

type person struct {
	id           int64
	phone, bsuid string
}

// person finds or makes the row of the person that a webhook names, as they
// were named at that moment; 0 when it names none. Two rows that turn out to be
// one person become one.
func (g *group) person(p wa.Person, at wa.Instant) (int64, error) {
	if p.Phone == "" && p.BSUID == "" {
		return 0, nil
	}
	p, err := g.today(p, at)
	if err != nil {
		return 0, err
	}
	byPhone, err := g.lookUpPerson(g.w.stmts.personByPhone, p.Phone)
	if err != nil {
		return 0, err
	}
	byBSUID, err := g.lookUpPerson(g.w.stmts.personByBSUID, p.BSUID)
	if err != nil {
		return 0, err
	}
	switch {
	case byPhone.id == 0 && byBSUID.id == 0:
		id := take(&g.next.person)
		_, err := g.w.stmts.insertPerson.ExecContext(g.ctx, id, p.Phone, p.BSUID)
		return id, err
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

func (g *group) lookUpPerson(stmt *sql.Stmt, name string) (p person, err error) {
	if name == "" {
		return p, nil
	}
	err = stmt.QueryRowContext(g.ctx, name).Scan(&p.id, &p.phone, &p.bsuid)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return p, err
}

// complete fills the name of a person that was not known yet.
func (g *group) complete(have person, p wa.Person) (int64, error) {
	var err error
	if have.phone == "" && p.Phone != "" {
		_, err = g.conn.ExecContext(g.ctx, "UPDATE person SET phone = ? WHERE id = ?", p.Phone, have.id)
	} else if have.bsuid == "" && p.BSUID != "" {
		_, err = g.conn.ExecContext(g.ctx, "UPDATE person SET bsuid = ? WHERE id = ?", p.BSUID, have.id)
	}
	return have.id, err
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

// unite makes one person of two, of the names given, and gives the row that stays.
func (g *group) unite(a, b int64, named person) (int64, error) {
	keep, drop := min(a, b), max(a, b)
	if err := g.mergeOptOuts(keep, drop); err != nil {
		return 0, err
	}
	for _, step := range []struct {
		text string
		args []any
	}{
		{"UPDATE message SET person = ? WHERE person = ?", []any{keep, drop}},
		{"UPDATE inbound SET person = ? WHERE person = ?", []any{keep, drop}},
		{"UPDATE former_name SET person = ? WHERE person = ?", []any{keep, drop}},
		{"UPDATE person SET (opted_out, opted_at) = (SELECT opted_out, opted_at FROM person WHERE id IN (?, ?) ORDER BY opted_at DESC LIMIT 1) WHERE id = ?", []any{keep, drop, keep}},
		{"DELETE FROM person WHERE id = ?", []any{drop}},
		{"UPDATE person SET phone = ?, bsuid = ? WHERE id = ?", []any{named.phone, named.bsuid, keep}},
	} {
		if _, err := g.conn.ExecContext(g.ctx, step.text, step.args...); err != nil {
			return 0, err
		}
	}
	g.renamed[drop] = keep
	g.homeless[drop] = 0
	g.byPerson[keep] = append(g.byPerson[keep], g.byPerson[drop]...)
	delete(g.byPerson, drop)
	return keep, nil
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
