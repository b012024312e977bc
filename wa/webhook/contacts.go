package webhook

import (
	"cmp"

	"tickwatch/wa"
)

// contact is one element of contacts[].
type contact struct {
	wa.Person
	name string
}

// contacts are those of one value. Looking a person up does not slow down with
// their number.
type contacts struct {
	all  []contact
	byID map[string]int // phone or BSUID to the index in all; made when there are many
}

func (c *contacts) clear() { c.all, c.byID = c.all[:0], nil }

// release drops them all, and the room too if it was made for very many.
func (c *contacts) release() {
	const kept = 1024
	clear(c.all)
	if c.clear(); cap(c.all) > kept {
		c.all = nil
	}
}

func (c *contacts) add(one contact) {
	c.all = append(c.all, one)
	c.byID = nil
}

// complete adds to a person what the contacts know of them, and gives the
// name that they use. Nobody is completed from a contact that only might be theirs.
func (c *contacts) complete(p wa.Person) (wa.Person, string) {
	i, ok := c.find(p)
	if !ok {
		return p, ""
	}
	of := c.all[i]
	if differ(p.Phone, of.Phone) || differ(p.BSUID, of.BSUID) {
		return p, of.name // a number that changed hands, or the like: the message's own word counts
	}
	p.Phone = cmp.Or(p.Phone, of.Phone)
	p.BSUID = cmp.Or(p.BSUID, of.BSUID)
	p.ParentBSUID = cmp.Or(p.ParentBSUID, of.ParentBSUID)
	return p, of.name
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// find prefers the BSUID: it is the person, the phone only where they are reached.
func (c *contacts) find(p wa.Person) (int, bool) {
	const few = 4
	if len(c.all) <= few {
		for _, id := range [...]string{p.BSUID, p.Phone} {
			for i := range c.all {
				if id != "" && (c.all[i].BSUID == id || c.all[i].Phone == id) {
					return i, true
				}
			}
		}
		return 0, false
	}
	if c.byID == nil {
		c.byID = make(map[string]int, 2*len(c.all))
		for i := len(c.all) - 1; i >= 0; i-- { // the first of several wins
			c.byID[c.all[i].Phone] = i
			c.byID[c.all[i].BSUID] = i
		}
	}
	for _, id := range [...]string{p.BSUID, p.Phone} {
		if i, ok := c.byID[id]; ok && id != "" {
			return i, true
		}
	}
	return 0, false
}
