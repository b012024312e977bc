package store

import (
	"cmp"
	"slices"
	"strings"

	"tickwatch/wa"
)

// former is a name that a person had until a moment.
type former struct {
	person int64
	until  wa.Instant
}

// today gives a person as they are named now, where an event of that moment
// names them by a phone or BSUID that they have given up since. Nobody gets
// another's BSUID; a phone may be somebody else's from then on.
func (g *group) today(p wa.Person, at wa.Instant) (wa.Person, error) {
	for _, name := range [...]struct {
		text string
		at   wa.Instant
	}{{p.BSUID, 0}, {p.Phone, at}} {
		now, err := g.formerly(name.text, name.at)
		if err != nil {
			return p, err
		}
		if now.id != 0 {
			return wa.Person{Phone: now.phone, BSUID: now.bsuid}, nil
		}
	}
	return p, nil
}

// formerly finds who had a name at a moment and has another now; the zero
// person when nobody did.
func (g *group) formerly(name string, at wa.Instant) (p person, err error) {
	if name == "" {
		return p, nil
	}
	var first former
	for _, all := range [...][]former{g.w.formers[name], g.formers[name]} {
		for _, f := range all {
			if f.until > at && (first.until == 0 || f.until < first.until) {
				first = f
			}
		}
	}
	if first.until == 0 {
		return p, nil
	}
	return g.personByRow(g.is(first.person))
}

// move gives a person the names that they have from a moment on, with whatever
// was stored under them, and keeps the former ones as theirs until then.
func (g *group) move(id int64, was, became wa.Person, at wa.Instant) error {
	is, err := g.today(became, at) // they may have moved again since
	if err != nil {
		return err
	}
	p, err := g.personByRow(id)
	if err != nil {
		return err
	}
	had := []string{was.Phone, was.BSUID, became.BSUID, p.phone, p.bsuid}
	to := person{phone: cmp.Or(is.Phone, p.phone), bsuid: is.BSUID}
	if is.Phone == "" || is.Phone == p.phone {
		to.bsuid = cmp.Or(is.BSUID, p.bsuid) // else it went with the phone
	}
	for _, by := range [...]struct {
		find  func(string) (person, error)
		name  string
		phone bool
	}{
		{g.personByBSUID, became.BSUID, false},
		{g.personByBSUID, is.BSUID, false},
		{g.personByPhone, is.Phone, true},
	} {
		other, err := by.find(by.name)
		if err != nil {
			return err
		}
		switch {
		case other.id == 0 || other.id == p.id:
			continue
		case by.phone && is.BSUID != "" && other.bsuid != "" && other.bsuid != is.BSUID:
			// It was somebody else's, who has another name to go by.
			if err := g.rename(other.id, person{bsuid: other.bsuid}, []string{other.phone}, at); err != nil {
				return err
			}
			continue
		}
		if is.Phone == "" {
			to.phone = cmp.Or(other.phone, to.phone)
		}
		to.bsuid = cmp.Or(to.bsuid, other.bsuid)
		had = append(had, other.phone, other.bsuid)
		if p.id, err = g.unite(p.id, other.id, person{}); err != nil { // named below, when nobody else is
			return err
		}
	}
	return g.rename(p.id, to, had, at)
}

// rename writes a person's names, and which of the names they had are former ones.
func (g *group) rename(id int64, to person, had []string, at wa.Instant) error {
	if err := g.storePerson(id); err != nil { // former names are about to name them
		return err
	}
	to.id, to.phone, to.bsuid = id, strings.Clone(to.phone), strings.Clone(to.bsuid)
	if err := g.writeNames(to); err != nil {
		return err
	}
	if err := g.followListed(had, to.phone); err != nil {
		return err
	}
	slices.Sort(had)
	for _, name := range slices.Compact(had) {
		if name == "" || name == to.phone || name == to.bsuid {
			continue
		}
		name, f := strings.Clone(name), former{id, at}
		g.formers[name] = append(g.formers[name], f)
		if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO former_name VALUES (?, ?, ?)", name, int64(f.until), f.person); err != nil {
			return err
		}
	}
	return nil
}

// keepFormers hands a group's former names to the writer.
func (w *writer) keepFormers(formers map[string][]former) {
	for name, all := range formers {
		for _, f := range all {
			had := slices.DeleteFunc(w.formers[name], func(o former) bool { return o.until == f.until })
			w.formers[name] = append(had, f)
		}
	}
}
