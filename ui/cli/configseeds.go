package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tickwatch/monitor"
	"tickwatch/wa"
)

var ownPhone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// seeds are the own phones as they are dialled.
func (s SeedsConfig) seeds() (monitor.Seeds, error) {
	out := monitor.Seeds{Every: int64(s.Every)}
	for _, phone := range s.Phones {
		spelled := strings.Map(func(r rune) rune {
			if strings.ContainsRune(" -.()", r) {
				return -1
			}
			return r
		}, phone)
		switch {
		case !ownPhone.MatchString(spelled):
			return out, fmt.Errorf("%q is no phone number with its country code; write one like \"+351 910 000 001\"", wa.Clean(phone))
		case slices.Contains(out.Phones, spelled):
			return out, fmt.Errorf("%q is in it twice; name each phone once", wa.Clean(phone))
		}
		out.Phones = append(out.Phones, spelled)
	}
	if out.Every > 0 && len(out.Phones) == 0 {
		return out, errNoSeedPhones
	}
	return out, nil
}

var errNoSeedPhones = errors.New("is set without seeds.phones; name your own phones, or write 0 for none")

func (s SeedsConfig) check(v values) error {
	_, err := s.seeds()
	switch {
	case errors.Is(err, errNoSeedPhones):
		return v.fault("seeds.every", "%w", err)
	case err != nil:
		return v.fault("seeds.phones", "%w", err)
	}
	return nil
}
